//! Decisions on data: `desired, seen -> steps`. Expected lines are written by hand; `KEEL_BLESS=1` rewrites those that differ.

use crate::bless::bless;
use crate::data::{Case, Data, declared, json, path_of};
use agent::kinds::ALL;
use model::{Problem, Segment, Step};

/// Fewer are not enough to know a kind by.
const LEAST_CASES: usize = 8;

#[test]
fn every_kind_decides_as_its_data_say() {
    let mut wrong = Vec::new();
    for kind in ALL {
        let data = Data::read(kind.name());
        assert!(data.case.len() >= LEAST_CASES, "{}: at least {LEAST_CASES} cases", kind.name());
        for case in &data.case {
            let Err((key, found)) = check(case) else { continue };
            if std::env::var_os("KEEL_BLESS").is_some() {
                bless(&path_of(kind.name()), &case.name, key, &found);
            }
            wrong.push(format!("{}: {}\n  {key} = {found:#?}", kind.name(), case.name));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ; found:\n{}", wrong.len(), wrong.join("\n"));
}

/// What was found, where it is not what was expected.
fn check(case: &Case) -> Result<(), (&'static str, Vec<String>)> {
    let resources = declared(&case.desired);
    let [resource] = &resources[..] else { panic!("{}: one resource a case", case.name) };
    let (kind, name, params) = (resource.kind, &resource.name, &resource.params);
    if let Err(problems) = kind.inspect(name, params) {
        let found: Vec<String> = problems.iter().map(line).collect();
        return same("invalid", found, case.invalid.clone());
    }
    let seen = json(&toml::Value::Table(case.seen.clone()));
    match kind.decide(name, params, seen) {
        Ok(steps) => {
            let moved = steps.iter().find_map(|step| step.moved);
            assert_eq!(moved, case.moved, "{}: why its steps are due", case.name);
            same("steps", steps.iter().map(Step::to_string).collect(), case.steps.clone())
        }
        Err(failure) => match &case.refused {
            Some(words) if failure.contains(words) => Ok(()),
            _ => Err(("refused", vec![failure])),
        },
    }
}

fn same(
    key: &'static str,
    found: Vec<String>,
    expected: Option<Vec<String>>,
) -> Result<(), (&'static str, Vec<String>)> {
    if expected.as_ref() == Some(&found) { Ok(()) } else { Err((key, found)) }
}

/// `field: message [help]`.
fn line(problem: &Problem) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => index.to_string(),
    };
    let field = problem.path.iter().map(part).collect::<Vec<_>>().join(".");
    let help = problem.help.as_ref().map_or(String::new(), |help| format!(" [{help}]"));
    format!("{field}: {}{help}", problem.message)
}
