//! Programs that run in turn, so that a machine that changes its speed changes it for all. It knows nothing of what they do; `figures`
//! makes sense of the outcome.

use crate::account;
use crate::answer::Answer;
use crate::clock::{self, Ended, Sample};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One program among others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contender {
    /// Its name in the table.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Whether it has to show that it works.
    pub role: Role,
    /// True where nothing is done before it: it finds what the one before it left.
    pub follows: bool,
    /// What its clock waits for in place of its end.
    pub page: Option<Answer>,
}

/// What a contender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// It brings a state about.
    Tool,
    /// It only costs what cannot be avoided.
    Floor,
}

/// What is to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contest {
    /// How often each one runs, after one round that is not counted.
    pub runs: usize,
    /// How often at least, where that takes more than five seconds.
    pub least: usize,
    /// Seconds after which a run is killed, and its contender left out.
    pub limit: f64,
    /// Shell words that spoil something before the first run of each tool, which is not counted. Empty for none.
    pub spoil: String,
    /// Shell words that succeed if the tool has put it right, and put it right if not: a tool that has misunderstood its site is fast.
    pub proof: String,
    /// Shell words that are done before each run, and not measured. Empty for none.
    pub before: String,
    /// Shell words that have to succeed after each run, and are not measured. Empty for none.
    pub after: String,
    /// The pid namespaces of hosts whose processor time is counted.
    pub hosts: Vec<String>,
    /// In the order in which they take turns.
    pub contenders: Vec<Contender>,
}

/// What became of one contender.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its runs, in order: the first of all contenders were made in one round, and so on.
    pub samples: Vec<Sample>,
    /// Why it has none.
    pub left_out: Option<String>,
}

/// Has it run often enough, though not as often as was asked for?
fn enough(samples: &[Sample], least: usize) -> bool {
    samples.len() >= least && samples.iter().map(|sample| sample.wall).sum::<f64>() > 5.0
}

/// What is quicker than this, and has rested for longer, runs once more before it is measured: a machine may have taken its program out of memory
/// while others had theirs, and then it is the disk that is measured.
const REST: Duration = Duration::from_secs(2);

/// Holds the contest on this machine.
pub fn hold(contest: &Contest) -> anyhow::Result<Vec<Outcome>> {
    let mut all: Vec<Outcome> = contest
        .contenders
        .iter()
        .map(|contender| Outcome { name: contender.name.clone(), ..Outcome::default() })
        .collect();
    let mut rests: Vec<Option<Instant>> = vec![None; all.len()];
    for round in 0..=contest.runs {
        for ((contender, outcome), rests) in contest.contenders.iter().zip(&mut all).zip(&mut rests) {
            if outcome.left_out.is_some() || enough(&outcome.samples, contest.least) {
                continue;
            }
            let tried = round == 0 && contender.role == Role::Tool;
            if rests.is_some_and(|since| since.elapsed() > REST) {
                once(contest, contender, false)?;
            }
            let ended = once(contest, contender, tried)?;
            *rests =
                matches!(&ended, Ended::Well(sample) if sample.wall < REST.as_secs_f64()).then(Instant::now);
            match ended {
                Ended::Well(sample) if round > 0 => outcome.samples.push(sample),
                Ended::Well(_) => {}
                Ended::TooLong => leave_out(outcome, over(contest.limit)),
                Ended::Badly(how) => leave_out(outcome, format!("failed: {how}")),
            }
            let right = script(&contest.after).is_ok() & (!tried || script(&contest.proof).is_ok());
            if outcome.left_out.is_none() && !right {
                leave_out(outcome, "failed: what was spoilt was not put right".to_owned());
            }
        }
    }
    Ok(all)
}

/// One run, of something that was spoilt before if it has to show that it works.
fn once(contest: &Contest, contender: &Contender, tried: bool) -> anyhow::Result<Ended> {
    if !contender.follows {
        script(&contest.before)?;
    }
    if tried {
        script(&contest.spoil)?;
    }
    let had = account::processor(&contest.hosts)?;
    let mut ended = clock::run(&contender.argv, contest.limit, contender.page.as_ref())?;
    if let Ended::Well(sample) = &mut ended {
        sample.hosts = account::since(had, &contest.hosts)?;
    }
    Ok(ended)
}

/// What is said of one that took longer than so many seconds.
fn over(limit: f64) -> String {
    if limit < 60.0 { format!("over {limit:.0} s") } else { format!("over {} min", limit / 60.0) }
}

fn leave_out(outcome: &mut Outcome, why: String) {
    eprintln!("{}: {why}", outcome.name);
    outcome.samples.clear();
    outcome.left_out = Some(why);
}

fn script(words: &str) -> anyhow::Result<()> {
    if words.is_empty() {
        return Ok(());
    }
    let output = Command::new("sh").args(["-ec", words]).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{}: {words}: {}", output.status, said.trim());
    Ok(())
}

/// What `bench contest` does: the contest comes in, the outcome goes out, as JSON.
pub fn serve() -> anyhow::Result<()> {
    let contest: Contest = serde_json::from_reader(std::io::stdin().lock())?;
    println!("{}", serde_json::to_string(&hold(&contest)?)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{enough, over};
    use crate::clock::Sample;

    #[test]
    fn what_takes_too_long_is_told_by_the_limit() {
        assert_eq!([30.0, 60.0, 90.0].map(over), ["over 30 s", "over 1 min", "over 1.5 min"]);
    }

    #[test]
    fn what_is_slow_runs_less_often() {
        let times = |count: usize, wall: f64| vec![Sample { wall, ..Sample::default() }; count];
        for (least, count, wall, is_enough) in [
            (5, 4, 2.0, false),
            (5, 5, 2.0, true),
            (5, 19, 0.1, false),
            (5, 1, 61.0, false),
            (3, 3, 2.0, true),
            (3, 6, 0.1, false),
        ] {
            let enough = enough(&times(count, wall), least);
            assert_eq!(enough, is_enough, "{count} runs of {wall} s, at least {least}");
        }
    }
}
