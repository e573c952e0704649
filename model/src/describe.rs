//! One line for an op and one for a step, the same in a plan, an event and a test. Secrets never show, and nothing that
//! came from outside can steer a terminal: control characters are escaped.

use crate::{
    Command, Diff, GroupSpec, Op, PackageAction, PackageChange, Principal, REDACTED, Step, Text, Transaction,
    UnitAction, UserSpec, Val, sysctl_key,
};
use std::fmt;

/// The words of one line, each shown as ` key=value` where there is a value.
struct Words<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Words<'_, '_> {
    fn say(&mut self, key: &str, value: Option<impl fmt::Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| write!(self.0, " {key}={}", inert(&value.to_string())))
    }

    fn list<'t>(&mut self, key: &str, values: Option<impl IntoIterator<Item = &'t String>>) -> fmt::Result {
        let joined = values.map(|it| it.into_iter().map(String::as_str).collect::<Vec<_>>().join(","));
        self.say(key, joined)
    }

    fn flag(&mut self, key: &str, set: bool) -> fmt::Result {
        if set { write!(self.0, " {key}") } else { Ok(()) }
    }
}

/// Escapes control characters, tabs and newlines among them.
fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out
}

/// One word as it could be typed: quoted only where it has to be.
fn word(text: &str) -> String {
    let plain = |it: char| it.is_alphanumeric() || "%+,-./:=@_{}".contains(it);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("{text:?}") }
}

struct Mode(u32);

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// The verb, what it acts on, and what goes with it: `write_file /etc/motd 0644 root:root`.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteFile { path, owner, group, mode, .. } => {
                write!(f, "write_file {path} {} {}:{}", Mode(*mode), name(owner), name(group))
            }
            Self::SetAttributes { path, owner, group, mode } => {
                write!(f, "set_attributes {path}")?;
                let mut words = Words(f);
                words.say("owner", owner.as_ref())?;
                words.say("group", group.as_ref())?;
                words.say("mode", mode.map(Mode))
            }
            Self::SetXattrs { path, .. } => write!(f, "set_xattrs {path}"),
            Self::MakeDirectory { path, owner, group, mode } => {
                write!(f, "make_directory {path} {} {}:{}", Mode(*mode), name(owner), name(group))
            }
            Self::MakeSymlink { path, target } => write!(f, "make_symlink {path} -> {}", inert(target)),
            Self::Remove { path } => write!(f, "remove {path}"),
            Self::Packages(transaction) => packages(f, transaction),
            Self::HoldPackage { name, hold } => {
                write!(f, "{} {}", if *hold { "hold_package" } else { "unhold_package" }, inert(name))
            }
            Self::Unit { name, action } => write!(f, "{} {}", verb(*action), inert(name)),
            Self::ReloadManager => f.write_str("reload_manager"),
            Self::AddGroup(spec) => group(f, "add_group", spec),
            Self::ModifyGroup(spec) => group(f, "modify_group", spec),
            Self::RemoveGroup { name } => write!(f, "remove_group {}", inert(name)),
            Self::AddUser(spec) => user(f, "add_user", spec),
            Self::ModifyUser(spec) => user(f, "modify_user", spec),
            Self::RemoveUser { name } => write!(f, "remove_user {}", inert(name)),
            Self::Run(command) => {
                f.write_str("run")?;
                run(f, command)
            }
            Self::Check(check) => {
                write!(f, "check_unit {}:", inert(&check.unit))?;
                run(f, &check.command)
            }
            Self::Together(together) => {
                let all = together.changes.iter().map(ToString::to_string);
                let checks = together.checks.iter().map(|check| Self::Check(check.clone()).to_string());
                write!(f, "together {}", checks.chain(all).collect::<Vec<_>>().join(", "))
            }
            Self::SetSysctl { path, value } => {
                let key = sysctl_key(path).unwrap_or_else(|| path.to_string());
                let value = if value.is_secret() { REDACTED } else { value.expose() };
                write!(f, "set_sysctl {} = {}", inert(&key), inert(value))
            }
            Self::Mount { path, source, fs, options } => {
                write!(f, "mount {path} {} {} {}", inert(source), inert(fs), inert(options))
            }
            Self::Remount { path, options } => write!(f, "remount {path} {}", inert(options)),
            Self::Unmount { path } => write!(f, "unmount {path}"),
            Self::Reboot => f.write_str("reboot"),
        }
    }
}

/// The op, then why: `… (mode: 0600 -> 0644; owner: root -> www-data)`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.op, f)?;
        let Some((first, rest)) = self.diffs.split_first() else { return Ok(()) };
        write!(f, " ({first}")?;
        rest.iter().try_for_each(|diff| write!(f, "; {diff}"))?;
        f.write_str(")")
    }
}

/// `field: before -> after`.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Val| inert(&value.to_string());
        write!(f, "{}: {} -> {}", self.field, shown(&self.before), shown(&self.after))
    }
}

/// Number 0 is root on any host.
fn name(who: &Principal) -> String {
    match who {
        Principal::Number(0) => "root".to_owned(),
        other => inert(&other.to_string()),
    }
}

fn verb(action: UnitAction) -> &'static str {
    match action {
        UnitAction::Start => "start_unit",
        UnitAction::Stop => "stop_unit",
        UnitAction::Restart => "restart_unit",
        UnitAction::Reload => "reload_unit",
        UnitAction::Enable => "enable_unit",
        UnitAction::Disable => "disable_unit",
        UnitAction::Mask => "mask_unit",
        UnitAction::Unmask => "unmask_unit",
    }
}

fn packages(f: &mut fmt::Formatter<'_>, transaction: &Transaction) -> fmt::Result {
    let one = |PackageChange { name, action }: &PackageChange| match action {
        PackageAction::Install(Some(version)) => format!(" install {}={}", inert(name), inert(version)),
        PackageAction::Install(None) => format!(" install {}", inert(name)),
        PackageAction::InstallFile { version, file } => {
            format!(" install {}={} from {file}", inert(name), inert(version))
        }
        PackageAction::Remove => format!(" remove {}", inert(name)),
        PackageAction::Purge => format!(" purge {}", inert(name)),
    };
    f.write_str(if transaction.changes.is_empty() { "packages finish" } else { "packages" })?;
    f.write_str(&transaction.changes.iter().map(one).collect::<Vec<_>>().join(","))?;
    let mut words = Words(f);
    words.say("recommends", transaction.recommends)?;
    words.say("release", transaction.release.as_ref())?;
    words.flag("allow_downgrade", transaction.allow_downgrade)?;
    words.list("held", Some(&transaction.held).filter(|it| !it.is_empty()))?;
    words.list("options", Some(&transaction.options).filter(|it| !it.is_empty()))
}

fn group(f: &mut fmt::Formatter<'_>, verb: &str, spec: &GroupSpec) -> fmt::Result {
    write!(f, "{verb} {}", inert(&spec.name))?;
    let mut words = Words(f);
    words.say("gid", spec.gid)?;
    words.list("members", spec.members.as_ref())?;
    words.say("password", spec.password.as_ref())?;
    words.list("administrators", spec.administrators.as_ref())?;
    words.flag("system", spec.system)
}

fn user(f: &mut fmt::Formatter<'_>, verb: &str, spec: &UserSpec) -> fmt::Result {
    write!(f, "{verb} {}", inert(&spec.name))?;
    let mut words = Words(f);
    words.say("uid", spec.uid)?;
    words.say("group", spec.group.as_ref())?;
    words.list("groups", spec.groups.as_ref())?;
    words.list("administers", spec.administers.as_ref())?;
    words.say("home", spec.home.as_ref())?;
    words.flag("manage_home", spec.manage_home)?;
    words.say("shell", spec.shell.as_ref())?;
    words.say("comment", spec.comment.as_ref().map(|it| word(it)))?;
    words.say("password", spec.password.as_ref())?;
    words.say("locked", spec.locked)?;
    words
        .say("expires", spec.expires.map(|day| day.map_or("never".to_owned(), |day| format!("day {day}"))))?;
    words.flag("system", spec.system)
}

fn run(f: &mut fmt::Formatter<'_>, command: &Command) -> fmt::Result {
    let shown = |text: &Text| match text {
        Text::Plain(text) => word(text),
        Text::Hidden(_) => REDACTED.to_owned(),
    };
    // Of a sensitive command only the program may be told.
    let kept = if command.sensitive { 1 } else { command.argv.len() };
    command.argv.iter().take(kept).try_for_each(|text| write!(f, " {}", shown(text)))?;
    if kept < command.argv.len() { write!(f, " {REDACTED}") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::Op;
    use crate::{Command, Content, HostPath, Principal, Secret, Step, Text, UserSpec, Val};

    #[test]
    fn a_step_says_the_op_and_why() {
        let path = HostPath::new("/etc/a b").unwrap();
        let (owner, group) = (Principal::Name("root".into()), Principal::Number(7));
        let op = Op::WriteFile {
            path,
            content: Content::held(*b"x"),
            owner,
            group,
            mode: 0o644,
            validate: Vec::new(),
        };
        let step = Step::new(op).because("content", Val::Absent, "1 byte").because("mode", "0600", "0644");
        let line = "write_file /etc/a b 0644 root:7 (content: absent -> 1 byte; mode: 0600 -> 0644)";
        assert_eq!(step.to_string(), line);
    }

    #[test]
    fn secrets_and_control_characters_do_not_show() {
        let hidden = Text::Hidden(Secret::new("hunter2".into()));
        let plain = |text: &str| Text::Plain(text.into());
        let mut command =
            Command { argv: vec![plain("echo"), plain("a b\x1b"), hidden], ..Command::default() };
        assert_eq!(Op::Run(command.clone()).to_string(), r#"run echo "a b\u{1b}" <secret>"#);
        command.sensitive = true;
        assert_eq!(Op::Run(command).to_string(), "run echo <secret>");
        let user = UserSpec {
            name: "a\n".into(),
            password: Some(Secret::new("$6$x".into())),
            ..UserSpec::default()
        };
        assert_eq!(Op::AddUser(user).to_string(), r"add_user a\n password=<secret>");
    }
}
