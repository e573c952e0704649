//! Two things measured in turn, so that a machine that changes its speed changes it for both.

use std::time::Instant;

/// What the pairs amount to.
pub struct Pairs {
    /// Median of the first, in milliseconds.
    pub one: f64,
    /// Median of the other, in milliseconds.
    pub other: f64,
    /// Median of the ratios, each that of one pair.
    pub ratio: f64,
}

/// Does both in turn, `runs` times, after one round that is not counted.
pub fn pairs(
    runs: usize,
    one: impl Fn() -> anyhow::Result<()>,
    other: impl Fn() -> anyhow::Result<()>,
) -> anyhow::Result<Pairs> {
    let mut samples = Vec::new();
    for round in 0..=runs {
        let pair = (milliseconds(&one)?, milliseconds(&other)?);
        if round > 0 {
            samples.push(pair);
        }
    }
    Ok(Pairs {
        one: median(samples.iter().map(|(one, _)| *one)),
        other: median(samples.iter().map(|(_, other)| *other)),
        ratio: median(samples.iter().map(|(one, other)| one / other)),
    })
}

fn milliseconds(work: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// NaN for no values.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
