//! What a machine lacks for boxes of a sort, in words that say what to type. Programs are known by what they say (of docker 20.10 and 28.2,
//! podman 4.3, Vagrant 2.3); what is not known stays as it was said. It starts none.

use model::Failure;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// What a program says, in small letters, and what that means. `{of}` is the image or box that was
/// asked for, `{said}` its last line, and `{at}` the address in that.
struct Sign {
    by: &'static [&'static str],
    said: &'static [&'static str],
    why: &'static str,
    help: &'static str,
}

const SIGNS: &[Sign] = &[
    Sign {
        by: &["docker"],
        said: &["permission denied while trying to connect to the docker"],
        why: "this user may not talk to Docker's daemon",
        help: "run it with sudo, or `sudo usermod -aG docker $USER` and log in again",
    },
    Sign {
        by: &["docker"],
        said: &["cannot connect to the docker daemon", "failed to connect to the docker api"],
        why: "Docker's daemon does not answer at {at}",
        help: "`sudo systemctl start docker` starts it; DOCKER_HOST says where another one is",
    },
    Sign {
        by: &["docker"],
        said: &["unable to resolve docker endpoint"],
        why: "it is not known which Docker is meant ({said})",
        help: "`docker context ls` lists them, and `docker context use NAME` takes one",
    },
    Sign {
        by: &["podman"],
        said: &["cannot connect to podman", "unable to connect to podman"],
        why: "podman's service does not answer ({said})",
        help: "`systemctl --user start podman.socket` starts it; without CONTAINER_HOST none is needed",
    },
    Sign {
        by: &["podman"],
        said: &["newuidmap\\\": executable file not found", "newuidmap\": executable file not found"],
        why: "podman cannot give a container users of its own: there is no newuidmap",
        help: "`sudo apt install uidmap` (Debian, Ubuntu) brings it",
    },
    Sign {
        by: &["podman"],
        said: &[
            "insufficient uids or gids available in user namespace",
            "enough ids available in the namespace",
        ],
        why: "this user has no numbers for the users of a container",
        help: "`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER`, then `podman system migrate`",
    },
    Sign {
        by: &["podman"],
        said: &["default oci runtime \"runc\" not found", "default oci runtime \"crun\" not found"],
        why: "podman lacks what starts containers ({said})",
        help: "`sudo apt install runc crun` (Debian, Ubuntu) brings it",
    },
    Sign {
        by: &["podman"],
        said: &["could not find slirp4netns", "could not find pasta"],
        why: "podman cannot give a container of this user a network: there is no slirp4netns, nor pasta",
        help: "`sudo apt install slirp4netns` (Debian, Ubuntu) brings it",
    },
    Sign {
        by: &["docker", "podman"],
        said: &["exec: \"/bin/sh\"", "executable file `/bin/sh` not found"],
        why: "nothing can be run in `{of}`: it has no /bin/sh",
        help: "take an image of a whole system, such as debian:12",
    },
    Sign {
        by: &["docker", "podman"],
        said: &["exec format error"],
        why: "`{of}` is for another sort of processor",
        help: "take an image that is made for this one",
    },
    Sign {
        by: &["docker", "podman"],
        said: &["invalid reference format"],
        why: "`{of}` is no name of an image",
        help: "write it as it is listed by `{by} images`, such as debian:12",
    },
    Sign {
        by: &["docker", "podman"],
        said: &[
            "unable to find image",
            "did not resolve to an alias",
            "initializing source docker://",
            "unable to copy from source",
        ],
        why: "there is no image `{of}` here, and none can be fetched ({said})",
        help: "`{by} images` lists what is here; `{by} pull` fetches one, `{by} build` and `{by} import` make one",
    },
    Sign {
        by: &["vagrant"],
        said: &["could not be found or could not be accessed in the remote catalog"],
        why: "there is no Vagrant box of that name here, and none can be fetched ({said})",
        help: "`vagrant box list` lists those that are here, `vagrant box add` fetches one",
    },
    Sign {
        by: &["vagrant"],
        said: &["no usable default provider could be found"],
        why: "Vagrant has no provider to run a machine with",
        help: "install one, such as vagrant-libvirt, vagrant-lxc or VirtualBox; VAGRANT_DEFAULT_PROVIDER names it",
    },
    Sign {
        by: &["vagrant"],
        said: &["could not be found, but was requested to back the machine"],
        why: "Vagrant lacks the provider that is asked for ({said})",
        help: "`vagrant plugin list` lists those that are installed; see VAGRANT_DEFAULT_PROVIDER and the Vagrantfile",
    },
];

/// What a failure of `by`, when it was to make a box of `of`, means to the user; the failure itself where nobody knows.
pub fn told(by: &str, of: &str, failure: Failure) -> Failure {
    let Failure::Command { stderr, .. } = &failure else { return failure };
    // Programs break their lines as they like.
    let said = stderr.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    // An image that could be fetched is not what failed.
    let said = said.rsplit("downloaded newer image").next().unwrap_or(&said);
    let is_meant = |sign: &&Sign| sign.by.contains(&by) && sign.said.iter().any(|words| said.contains(words));
    let Some(Sign { why, help, .. }) = SIGNS.iter().find(is_meant) else { return failure };
    let said = last(stderr).trim_end_matches('.');
    let at = said.split(" at ").nth(1).and_then(|rest| rest.split([' ', ';']).next());
    let at = at.map_or("its socket", |at| at.trim_end_matches('.'));
    let filled =
        |text: &str| text.replace("{by}", by).replace("{of}", of).replace("{said}", said).replace("{at}", at);
    Failure::refused(filled(why), filled(help))
}

/// The last line that says anything, without what all have in front.
fn last(text: &str) -> &str {
    let is_hint = |line: &&str| line.starts_with("See '") || line.starts_with("Run '");
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !is_hint(line));
    let mut line = lines.next_back().unwrap_or("");
    for front in ["docker: ", "Error: ", "Error response from daemon: "] {
        line = line.strip_prefix(front).unwrap_or(line);
    }
    line
}

/// Whether these programs are in one of the directories of `path`; each stands with the package of Debian and Ubuntu that brings it.
///
/// # Errors
/// One is not, and how to have it.
pub fn programs(needed: &[(&str, &str)], path: &OsStr) -> Result<(), Failure> {
    let is_there = |program: &str| std::env::split_paths(path).any(|dir| dir.join(program).is_file());
    match needed.iter().find(|(program, _)| !is_there(program)) {
        Some((program, package)) => Err(Failure::refused(
            format!("there is no {program} on this machine"),
            format!("`sudo apt install {package}` (Debian, Ubuntu) brings it, or take another --box"),
        )),
        None => Ok(()),
    }
}

/// Whether a system that could be booted is in this directory.
///
/// # Errors
/// There is none.
pub fn system(base: &Path) -> Result<(), Failure> {
    // Its links are meant for its own root.
    match fs::symlink_metadata(base.join("sbin/init")) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::refused(
            format!("there is no system to boot in {} ({error})", base.display()),
            "give --box-base a directory that has /sbin/init, or leave it out: then one is made",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{programs, system, told};
    use model::Failure;
    use serde::Deserialize;
    use std::ffi::OsStr;
    use std::path::Path;

    #[derive(Deserialize)]
    struct Case {
        by: String,
        of: String,
        said: Vec<String>,
        told: String,
    }

    #[test]
    fn what_programs_say_is_told_with_what_to_type() {
        let text = include_str!("../../../tests/cases/boxes/said.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 12);
        for Case { by, of, said, told: expected } in cases {
            let status = "exited with 125".to_owned();
            let failure = Failure::Command { argv: by.clone(), status, stderr: said.join("\n") };
            assert_eq!(told(&by, &of, failure).to_string(), expected);
        }
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_its_package() {
        let path = OsStr::new("/nonexistent:/bin");
        programs(&[("sh", "dash")], path).unwrap();
        let missing = programs(&[("sh", "dash"), ("keel-no-such", "no-such")], path).unwrap_err();
        let expected = "there is no keel-no-such on this machine; `sudo apt install no-such` (Debian, Ubuntu) brings it, or take another --box";
        assert_eq!(missing.to_string(), expected);
    }

    #[test]
    fn a_directory_without_a_system_is_none_to_boot() {
        let failure = system(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(failure.starts_with("there is no system to boot in /nonexistent (No such file"), "{failure}");
    }
}
