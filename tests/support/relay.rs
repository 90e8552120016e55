//! Passes the frames between two TAP devices, and does to them what the test asks: delay, loss, another order, another
//! window, an ICMP error or a reset in answer. Knows when it last handed something to our side.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::frame::{IcmpError, TcpFrame};
use super::tap::Tap;

const MAX_FRAME_BYTES: usize = 65_600;

/// What becomes of the packets in one direction.
#[derive(Debug, Clone, Copy)]
pub struct Passage {
    pub is_open: bool,
    pub delay: Duration,
    /// Packets lost of a hundred
    pub loss_percent: u64,
    /// How many more packets pass; those after them are lost
    pub left: u64,
    /// Every packet of this number is held back for `LATE`; 0 keeps the order
    pub reorder_every: u64,
}

/// How much later a packet comes that is held back.
const LATE: Duration = Duration::from_millis(15);

impl Passage {
    pub const OPEN: Self =
        Self { is_open: true, delay: Duration::ZERO, loss_percent: 0, left: u64::MAX, reorder_every: 0 };
    pub const CLOSED: Self = Self { is_open: false, ..Self::OPEN };
}

/// What our packets get in answer. With `Error` and `Reset` they do not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Peer,
    Error(IcmpError),
    Reset,
}

/// What the relay does.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub to_us: Passage,
    pub to_peer: Passage,
    pub answer: Answer,
    /// Window that is written into each packet to us
    pub window: Option<u16>,
}

/// When the relay last handed a packet to our side; the kernel had dealt with it by then.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivered {
    pub tcp: Option<Instant>,
    pub reset: Option<Instant>,
    pub icmp: Option<Instant>,
    /// An ICMP error that moves the retransmission timer
    pub reverting: Option<Instant>,
}

/// A running relay, which stops with this value.
pub struct Relay {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    ours: Tap,
    peer: Tap,
    /// Held while a packet is handed over: once a change of the rules returns, it is in force.
    state: Mutex<(Rules, Delivered)>,
    /// Becomes readable when the relay has to stop
    stop: rustix::fd::OwnedFd,
}

impl Relay {
    /// Starts to pass packets between the devices, all of them and at once.
    pub fn start(ours: Tap, peer: Tap) -> Self {
        let rules = Rules { to_us: Passage::OPEN, to_peer: Passage::OPEN, answer: Answer::Peer, window: None };
        let stop = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        let shared = Arc::new(Shared { ours, peer, state: Mutex::new((rules, Delivered::default())), stop });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || Run::new(&own).pass());
        Self { shared, thread: Some(thread) }
    }

    /// Changes the rules. When it returns, nothing is handed over by the old ones any more.
    pub fn change(&self, change: impl FnOnce(&mut Rules)) {
        change(&mut self.shared.lock().0);
    }

    /// When our side last got something.
    pub fn delivered(&self) -> Delivered {
        self.shared.lock().1
    }

    /// Sets whether our interface has a carrier.
    pub fn carrier(&self, has: bool) {
        self.shared.ours.carrier(has);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        rustix::io::write(&self.shared.stop, &1_u64.to_ne_bytes()).unwrap();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Rules, Delivered)> {
        self.state.lock().unwrap()
    }

    /// The rules for a packet, which is counted.
    fn count(&self, to_us: bool) -> Rules {
        let rules = &mut self.lock().0;
        let before = *rules;
        let passage = if to_us { &mut rules.to_us } else { &mut rules.to_peer };
        passage.left = passage.left.saturating_sub(1);
        before
    }
}

/// A packet on its way: when it is due, its place in the order of arrival, whether it goes to us, and the frame.
type Pending = Reverse<(Instant, u64, bool, Vec<u8>)>;

struct Run<'a> {
    shared: &'a Shared,
    waiting: BinaryHeap<Pending>,
    /// Packets seen so far, which decide the order, the loss and what is held back
    seen: u64,
    chance: u64,
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, waiting: BinaryHeap::new(), seen: 0, chance: 0x5DEE_CE66 }
    }

    fn pass(mut self) {
        let mut buffer = vec![0; MAX_FRAME_BYTES];
        while !self.wait() {
            while let Some(length) = self.shared.ours.read(&mut buffer) {
                self.take(&buffer[..length], false);
            }
            while let Some(length) = self.shared.peer.read(&mut buffer) {
                self.take(&buffer[..length], true);
            }
            self.deliver();
        }
    }

    /// Waits for a frame, for a packet that is due, or for the end; whether it is the end.
    fn wait(&self) -> bool {
        let due = self.waiting.peek().map(|Reverse((due, ..))| due.saturating_duration_since(Instant::now()));
        let due = due.map(|due| Timespec { tv_sec: due.as_secs().cast_signed(), tv_nsec: due.subsec_nanos().into() });
        let Shared { ours, peer, stop, .. } = self.shared;
        let mut files =
            [PollFd::new(ours, PollFlags::IN), PollFd::new(peer, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut files, due.as_ref()) {
            Ok(_) => files[2].revents().contains(PollFlags::IN),
            Err(rustix::io::Errno::INTR) => false,
            Err(errno) => panic!("poll: {errno}"),
        }
    }

    /// A number below 100, the same in each run.
    fn percent(&mut self) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % 100
    }

    /// Takes a frame of one side. All but TCP is dropped: neighbours are permanent entries.
    fn take(&mut self, frame: &[u8], to_us: bool) {
        let Some(mut tcp) = TcpFrame::parse(frame) else { return };
        let rules = self.shared.count(to_us);
        self.seen += 1;
        let lost = self.percent();
        let passage = if to_us { rules.to_us } else { rules.to_peer };
        if let (Some(window), true) = (rules.window, to_us) {
            tcp.set_window(window);
        }
        let now = Instant::now();
        match rules.answer {
            Answer::Error(error) if !to_us => self.put(now, true, tcp.icmp(error)),
            Answer::Reset if !to_us => self.put(now, true, tcp.reset()),
            _ if !passage.is_open || passage.left == 0 || lost < passage.loss_percent => {}
            _ => {
                let held = passage.reorder_every > 0 && self.seen.is_multiple_of(passage.reorder_every);
                let late = if held { LATE } else { Duration::ZERO };
                self.put(now + passage.delay + late, to_us, tcp.bytes().to_vec());
            }
        }
    }

    fn put(&mut self, due: Instant, to_us: bool, frame: Vec<u8>) {
        self.waiting.push(Reverse((due, self.seen, to_us, frame)));
    }

    /// Hands over what is due. What a closed passage holds is lost.
    fn deliver(&mut self) {
        while let Some(Reverse((due, ..))) = self.waiting.peek() {
            if *due > Instant::now() {
                return;
            }
            let Some(Reverse((_, _, to_us, frame))) = self.waiting.pop() else { return };
            let mut state = self.shared.lock();
            let (rules, delivered) = &mut *state;
            if !to_us {
                if rules.to_peer.is_open {
                    self.shared.peer.write(&frame);
                }
                continue;
            }
            if rules.to_us.is_open && self.shared.ours.write(&frame) {
                delivered.note(&frame, rules.answer);
            }
        }
    }
}

impl Delivered {
    fn note(&mut self, frame: &[u8], answer: Answer) {
        let now = Some(Instant::now());
        match (TcpFrame::parse(frame), answer) {
            (Some(tcp), _) => {
                self.tcp = now;
                if tcp.is_reset() {
                    self.reset = now;
                }
            }
            (None, Answer::Error(error)) => {
                self.icmp = now;
                let is_v6 = frame.get(12) == Some(&0x86);
                if error.reverts_timeout(is_v6) {
                    self.reverting = now;
                }
            }
            // The rules have changed since; the packet may be any.
            (None, _) => (self.icmp, self.reverting) = (now, now),
        }
    }
}
