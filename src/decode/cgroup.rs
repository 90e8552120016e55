//! Finds the systemd unit and the container that a process belongs to by its cgroup path.
//!
//! Unit names: systemd.unit(5), systemd-escape(1). Container ids: 64 hexadecimal digits, as Docker, containerd, CRI-O
//! and Podman put them into paths with or without a prefix.

/// The systemd unit that a cgroup path names: its innermost component that ends in a unit type with processes. Slices
/// are ignored, since they only group units.
pub(crate) fn unit(path: &str) -> Option<&str> {
    path.rsplit('/')
        .find(|part| [".service", ".scope"].iter().any(|ending| part.len() > ending.len() && part.ends_with(ending)))
}

/// The container id in a cgroup path, wherever a runtime put it (`/docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`).
pub(crate) fn container(path: &str) -> Option<&str> {
    path.rsplit('/').find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let id = part.rsplit(['-', ':']).next()?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::{container, unit};

    const ID: &str = "3f2a9c0d3f2a9c0d3f2a9c0d3f2a9c0d3f2a9c0d3f2a9c0d3f2a9c0d3f2a9c0d";

    #[test]
    fn units_are_found_in_the_innermost_place() {
        assert_eq!(unit("/system.slice/sshd.service"), Some("sshd.service"));
        assert_eq!(unit("/user.slice/user-1000.slice/user@1000.service/app.slice/app-a.scope"), Some("app-a.scope"));
        assert_eq!(unit("/system.slice/sshd.service/child"), Some("sshd.service"));
        assert_eq!((unit("/"), unit("/system.slice"), unit("/.service")), (None, None, None));
    }

    #[test]
    fn container_ids_are_found_in_every_runtimes_spelling() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods/burstable/pod1/{ID}"),
            format!("/machine.slice/libpod-{ID}.scope/container"),
            format!("/system.slice/containerd.service/kubepods-burstable.slice:cri-containerd:{ID}"),
        ] {
            assert_eq!(container(&path), Some(ID), "{path}");
        }
        assert_eq!(container("/system.slice/sshd.service"), None);
        assert_eq!(container(&format!("/docker/{}", &ID[1..])), None);
    }
}
