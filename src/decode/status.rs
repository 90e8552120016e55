//! Decodes the real user id of /proc/PID/status. The file is parsed as bytes: the process name in its first line may be
//! invalid UTF-8, for which `procfs` rejects the whole file.

/// The real user id: the first number of the line `Uid:`. The process name cannot forge that line, since the kernel
/// escapes line breaks in it.
pub(crate) fn real_uid(status: &[u8]) -> Option<u32> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    std::str::from_utf8(words.next()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::real_uid;

    #[test]
    fn the_name_does_not_matter() {
        let status =
            |name: &[u8]| [b"Name:\t", name, b"\nUmask:\t0022\nState:\tS\nUid:\t1000\t0\t0\t0\nGid:\t5\n"].concat();
        assert_eq!(real_uid(&status(b"nginx")), Some(1000));
        assert_eq!(real_uid(&status(b"\xff\xfe")), Some(1000));
        assert_eq!(real_uid(&status(b"Uid:\t7")), Some(1000));
    }

    #[test]
    fn what_is_no_number_is_absent() {
        for status in
            [&b""[..], b"Uid:", b"Uid:\n", b"Uid:\t-1\n", b"Uid:\t4294967296\n", b"Uid:\t\xff\n", b"uid:\t1\n"]
        {
            assert_eq!(real_uid(status), None);
        }
    }
}
