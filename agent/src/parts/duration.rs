//! Lengths of time as users write them: `"30s"`, `"5m"`, `"2h"`. Whole seconds, no clock.

use serde::Deserialize;

/// A length of time in seconds, in TOML a whole number with its unit, `s`, `m` or `h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Seconds(pub u64);

impl TryFrom<String> for Seconds {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no duration: write a whole number with s, m or h, such as \"30s\"");
        let (number, factor) = [("s", 1), ("m", 60), ("h", 3600)]
            .into_iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
            .ok_or_else(wrong)?;
        if !number.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u64 = number.parse().map_err(|_| wrong())?;
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

/// In the schema a duration is a string.
impl schemars::JsonSchema for Seconds {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+[smh]$" })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn a_duration_has_a_unit() {
        let read = |text: &str| Seconds::try_from(text.to_owned()).ok().map(|it| it.0);
        assert_eq!(["0s", "30s", "5m", "2h"].map(read), [Some(0), Some(30), Some(300), Some(7200)]);
        assert_eq!(["30", "", "s", "-1s", "1.5h", "9d", "5 m"].map(read), [None; 7]);
        assert_eq!(read("18446744073709551615h"), None);
    }
}
