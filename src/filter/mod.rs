//! Which sockets are meant. So far the simple form that `show` takes; pure.

use std::net::IpAddr;

use crate::model::address::Endpoint;
use crate::model::socket::Socket;

/// One socket, or few, as a person names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// `local->peer`, both with ports
    Pair(Endpoint, Endpoint),
    /// One end, with its port
    End(Endpoint),
    /// An inode, or the digits of a cookie
    Number {
        /// As decimal
        inode: Option<u32>,
        /// As hexadecimal
        cookie: Option<u64>,
    },
}

/// What was typed names no socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' names no socket; write local->peer (10.0.0.5:48350->10.0.0.9:5432), one end (10.0.0.5:48350), inode=123456 \
     or cookie=1a2b"
)]
pub struct BadSelector(String);

impl Selector {
    /// Reads it.
    ///
    /// # Errors
    /// It is none of the forms.
    pub fn parse(text: &str) -> Result<Self, BadSelector> {
        let text = text.trim();
        let bad = || BadSelector(text.to_owned());
        if let Some((local, peer)) = text.split_once("->") {
            return Ok(Self::Pair(end(local).ok_or_else(bad)?, end(peer).ok_or_else(bad)?));
        }
        let (key, value) = text.split_once('=').map_or(("", text), |(key, value)| (key.trim(), value.trim()));
        let hexadecimal = || u64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).ok();
        match key {
            "inode" => Ok(Self::Number { inode: Some(value.parse().map_err(|_| bad())?), cookie: None }),
            "cookie" => Ok(Self::Number { inode: None, cookie: Some(hexadecimal().ok_or_else(bad)?) }),
            "" => match end(value) {
                Some(end) => Ok(Self::End(end)),
                None if hexadecimal().is_some() => {
                    Ok(Self::Number { inode: value.parse().ok(), cookie: hexadecimal() })
                }
                None => Err(bad()),
            },
            _ => Err(bad()),
        }
    }

    /// Whether the socket is meant.
    pub fn matches(&self, socket: &Socket) -> bool {
        let is = |end: Endpoint, wanted: Endpoint| {
            end.port == wanted.port && end.addr.to_canonical() == wanted.addr.to_canonical()
        };
        match *self {
            Self::Pair(local, peer) => is(socket.local, local) && is(socket.remote, peer),
            Self::End(wanted) => is(socket.local, wanted) || is(socket.remote, wanted),
            Self::Number { inode, cookie } => {
                (inode.is_some() && socket.inode == inode)
                    || (cookie.is_some() && socket.id.cookie.map(|cookie| cookie.0) == cookie)
            }
        }
    }
}

/// `10.0.0.5:443`, `[::1]:443`, `[fe80::1%eth0]:443`; the device is not looked at.
fn end(text: &str) -> Option<Endpoint> {
    let (addr, port) = text.trim().rsplit_once(':')?;
    let addr = addr.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(addr);
    let addr: IpAddr = addr.split('%').next()?.parse().ok()?;
    Some(Endpoint { addr, port: if port == "*" { 0 } else { port.parse().ok()? } })
}

#[cfg(test)]
mod tests {
    use super::Selector;

    #[test]
    fn each_form_is_read_and_everything_else_refused() {
        for good in
            ["10.0.0.5:1->10.0.0.9:2", "[::1]:1 -> [fe80::1%eth0]:2", "127.0.0.1:80", "inode=12", "cookie=0x1a2b"]
        {
            assert!(Selector::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Selector::parse("123"), Ok(Selector::Number { inode: Some(123), cookie: Some(0x123) }));
        assert_eq!(Selector::parse("1a2b"), Ok(Selector::Number { inode: None, cookie: Some(0x1a2b) }));
        for bad in ["", "->", "10.0.0.5", "10.0.0.5:1->", "inode=1a2b", "pid=1", "nonsense", "1.2.3.4:99999"] {
            assert!(Selector::parse(bad).unwrap_err().to_string().contains("write local->peer"), "{bad}");
        }
    }
}
