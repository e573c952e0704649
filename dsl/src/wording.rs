//! What serde says of a value of the wrong type, in the words of TOML, and without the value: it may be secret.

/// `invalid type: string "a", expected a sequence` to `expected an array, found a string`; other texts stay.
pub fn reword(message: &str) -> String {
    let said = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let Some((found, expected)) = said.and_then(|said| said.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let is_type = message.starts_with("invalid type");
    let expected = match expected {
        "u8" if !is_type => "an integer from 0 to 255",
        "u16" if !is_type => "an integer from 0 to 65535",
        "a sequence" => "an array",
        "a map" => "a table",
        "bool" | "a boolean" => "true or false",
        text if text.starts_with("struct ") => "a table",
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer",
        other => other,
    };
    match type_of(found) {
        Some(found) if is_type => format!("expected {expected}, found {found}"),
        _ => format!("expected {expected}"),
    }
}

/// What to type instead, for the slips that are made most.
pub fn way_out(reworded: &str) -> Option<&'static str> {
    match reworded {
        "expected an array, found a string" => {
            Some("write it in brackets, each element in quotes: [\"a\", \"b\"]")
        }
        "expected a string, found an integer" => Some("write it in quotes"),
        "expected true or false, found a string" => Some("write true or false, without quotes"),
        "expected an integer, found a string"
        | "expected an integer that is not negative, found a string" => {
            Some("write the number without quotes")
        }
        _ => None,
    }
}

/// As [`way_out`], of a value that comes from `{{ … }}`: quotes it has already.
pub fn keeps_type(reworded: &str) -> Option<&'static str> {
    let (expected, found) = reworded.rsplit_once(", found ").unwrap_or((reworded, "a table"));
    Some(match found {
        _ if !expected.starts_with("expected a") => return None,
        "a table" => "a lone `{{ … }}` keeps its type: name a key of the table, as in `{{ each.value }}`",
        "nothing" => "give it a value, or write `{{default PATH VALUE}}`",
        _ => {
            "a lone `{{ … }}` keeps the type of its value: declare what it names with the type that is wanted here"
        }
    })
}

/// The type at the head of `string "a"`, as TOML calls it.
fn type_of(found: &str) -> Option<&'static str> {
    let words = [
        ("string", "a string"),
        ("integer", "an integer"),
        ("floating", "a float"),
        ("boolean", "a boolean"),
        ("sequence", "an array"),
        ("map", "a table"),
        ("null", "nothing"),
    ];
    words.iter().find(|(word, _)| found.starts_with(word)).map(|(_, words)| *words)
}

/// The word that is not known and those that are, of ``unknown variant `x`, expected `a` or `b` ``.
pub fn unknown_word(message: &str) -> Option<(&str, Vec<&str>)> {
    let (word, known) = message.strip_prefix("unknown variant `")?.split_once("`, expected ")?;
    let known = known.split('`').skip(1).step_by(2).collect();
    Some((word, known))
}

/// The same of a key: ``unknown field `x`, expected `a` or `b` ``.
pub fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let (word, known) = message.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    Some((word, known.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::{reword, unknown_field, unknown_word};

    #[test]
    fn the_value_is_not_repeated() {
        assert_eq!(
            reword("invalid type: string \"a, expected b\", expected a sequence"),
            "expected an array, found a string"
        );
        assert_eq!(
            reword("invalid value: integer `-1`, expected u32"),
            "expected an integer that is not negative"
        );
        assert_eq!(
            reword("invalid value: integer `70000`, expected u16"),
            "expected an integer from 0 to 65535"
        );
        assert_eq!(reword("anything else"), "anything else");
    }

    #[test]
    fn known_words_are_read() {
        let read = unknown_word("unknown variant `x`, expected one of `a`, `b`");
        assert_eq!(read, Some(("x", vec!["a", "b"])));
        assert_eq!(unknown_field("unknown field `x`, expected `a`"), Some(("x", vec!["a"])));
    }
}
