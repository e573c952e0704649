//! `keel lock`: keeps everybody from changing machines, or a part of them, for a while.

use super::Asked;
use crate::clock;
use crate::exit::Exit;
use crate::format::Format;
use model::SoftLock;
use wire::Order;

/// Arguments of `lock`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Why, for those who meet it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// How long, such as 2h; it ends by itself.
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length: u64,
    /// Only these resources, as a glob over their names such as 'file./etc/nginx/*'; the whole machine unless said.
    #[arg(long, value_name = "GLOB")]
    resource: Option<String>,
    /// Who locks it, where that is not this user of this machine.
    #[arg(long = "as", value_name = "NAME")]
    owner: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

/// Locks.
pub fn run(args: Args, format: Format) -> anyhow::Result<Exit> {
    let Args { reason, length: seconds, resource, owner, asked } = args;
    let owner = owner.unwrap_or_else(user_here);
    // The machine counts from its own now.
    let since = clock::now();
    asked.ask(Order::Lock(SoftLock { resource, owner, reason, since, seconds }), format)
}

/// Whose lock it is: `ann@laptop`.
pub fn user_here() -> String {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".to_owned());
    format!("{user}@{}", rustix::system::uname().nodename().to_string_lossy())
}

fn length(text: &str) -> Result<u64, String> {
    let wrong = || "write a whole number with s, m or h that is more than 0, such as 2h".to_owned();
    dsl::duration(text).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_lock_lasts() {
        assert_eq!(["2h", "90s", "1m"].map(length), [Ok(7200), Ok(90), Ok(60)]);
        assert!(["0s", "0h", "", "2", "-1h", "2d"].into_iter().all(|text| length(text).is_err()));
    }
}
