//! The subject `kernel`: a value of sysctl(8).

use super::ground::Ground;
use super::subject::Subject;
use crate::kind::Listed;
use model::{Failure, HostPath, Problem, REDACTED, Shortfall, sysctl_is_secret, sysctl_path};
use schemars::JsonSchema;
use serde::Deserialize;

/// A value of the running kernel, as sysctl(8) names it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// Its name, such as `net.ipv4.ip_forward`; with slashes where a part of it holds a dot, as in `net/ipv4/conf/eth0.5/forwarding`.
    key: String,
    /// Its value in quotes; several numbers with a space between.
    value: Option<String>,
}

impl Listed for Kernel {
    const NAME: &'static str = "kernel";
    const SHORT: &'static str = "key";
    const EXAMPLE: &'static str =
        "[check.no-forwarding]\nkernel = { key = \"net.ipv4.ip_forward\", value = \"0\" }\n";

    fn problems(&self) -> Vec<Problem> {
        match self.path() {
            Ok(_) => Vec::new(),
            Err(why) => vec![Problem::at("key", why).help("write it as `sysctl -a` does")],
        }
    }
}

impl Subject for Kernel {
    fn look(&self, ground: &Ground<'_>) -> Result<Vec<Shortfall>, Failure> {
        let path = self.path().map_err(|why| Failure::unknown(&self.key, why))?;
        let wanted = self.value.as_deref().map(words).unwrap_or_else(|| "any value".to_owned());
        let seen = match ground.system()?.read(&path, 1 << 20) {
            Ok(bytes) => words(&String::from_utf8_lossy(&bytes)),
            Err(Failure::Missing { .. }) => {
                return Ok(vec![Shortfall::new(&self.key, wanted, "no such value")]);
            }
            Err(failure) => return Err(failure),
        };
        let is_so = self.value.is_none() || seen == wanted;
        let shown = |value: String| if sysctl_is_secret(&path) { REDACTED.to_owned() } else { value };
        Ok(if is_so { Vec::new() } else { vec![Shortfall::new(&self.key, shown(wanted), shown(seen))] })
    }
}

impl Kernel {
    fn path(&self) -> Result<HostPath, String> {
        sysctl_path(&self.key).ok_or_else(|| format!("`{}` is no name of a value", self.key))
    }
}

/// With one space between its words, however the kernel spaces them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
