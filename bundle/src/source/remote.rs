//! Places in the network: what a web server hands out, and buckets of object stores that speak S3. What comes from there is believed by its
//! signature, so a server needs no trust, and `http://` will do. It must not keep anything in mind: a runtime lives as long as its place.

use super::place::{Limit, Source};
use crate::refusal::Refusal;
use futures_util::StreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _, RetryConfig};
use std::io::Write;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A server has so long to answer at all.
const CONNECT: Duration = Duration::from_secs(10);
/// And so long for everything.
const WHOLE: Duration = Duration::from_secs(600);
/// What fails is tried again so often, if it was not longer under way than this.
const TRIES: (usize, Duration) = (2, Duration::from_secs(20));

/// A place in the network.
pub struct Remote {
    address: String,
    prefix: String,
    store: Box<dyn ObjectStore>,
    runtime: Runtime,
}

impl Remote {
    /// A directory of a web server: everything below an `http://` or `https://` address.
    ///
    /// # Errors
    /// Where that is no address.
    pub fn web(address: &str) -> Result<Self, Refusal> {
        let options = options().with_allow_http(address.starts_with("http://"));
        let store = HttpBuilder::new().with_url(address).with_retry(retry()).with_client_options(options);
        let store = store.build().map_err(|error| unfit(address, &error))?;
        Self::new(address, String::new(), Box::new(store))
    }

    /// `s3://BUCKET/PREFIX`; the rest is in the environment, as for Amazon's own programs.
    ///
    /// # Errors
    /// Where something of that cannot be used.
    pub fn bucket(address: &str) -> Result<Self, Refusal> {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = std::env::var("AWS_ENDPOINT_URL").is_ok_and(|url| url.starts_with("http://"));
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry());
        let store = store.with_client_options(options().with_allow_http(is_plain));
        let store = store.build().map_err(|error| unfit(address, &error))?;
        Self::new(address, prefix.to_owned(), Box::new(store))
    }

    fn new(address: &str, prefix: String, store: Box<dyn ObjectStore>) -> Result<Self, Refusal> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Refusal::io("reach", address, error))?;
        Ok(Self { address: address.trim_end_matches('/').to_owned(), prefix, store, runtime })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }
}

impl Source for Remote {
    fn place(&self) -> String {
        self.address.clone()
    }

    fn get(&self, name: &str, most: Limit, to: &mut dyn Write) -> Result<Option<u64>, Refusal> {
        let place = format!("{}/{name}", self.address);
        let cannot = |error: Error| Refusal::io("fetch", &place, words(&error));
        self.runtime.block_on(async {
            let found = match self.store.get(&self.path(name)).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found.map_err(cannot)?,
            };
            let (mut pieces, mut size) = (found.into_stream(), 0);
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(cannot)?;
                size += piece.len() as u64;
                if size > most {
                    return Err(Refusal::TooLarge { size, most });
                }
                to.write_all(&piece).map_err(|error| Refusal::io("keep", &place, error))?;
            }
            Ok(Some(size))
        })
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let put = self.runtime.block_on(self.store.put(&self.path(name), bytes.to_vec().into()));
        put.map(drop).map_err(|error| Refusal::io("put", format!("{}/{name}", self.address), words(&error)))
    }
}

fn options() -> ClientOptions {
    // Whoever comes first decides it for the process, and all take the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(WHOLE)
}

fn retry() -> RetryConfig {
    let (max_retries, retry_timeout) = TRIES;
    RetryConfig { max_retries, retry_timeout, ..RetryConfig::default() }
}

fn unfit(address: &str, error: &Error) -> Refusal {
    Refusal::BadPointer { place: address.to_owned(), why: words(error) }
}

/// With all its causes: the last one says most.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_words = cause.to_string();
        if !words.contains(&cause_words) {
            words = format!("{words}: {cause_words}");
        }
        next = cause.source();
    }
    untimed(words)
}

/// Without how long it took and how often it was tried: the same trouble has the same words each time, so that it is told once.
fn untimed(words: String) -> String {
    let parts = words
        .split_once("Error performing ")
        .and_then(|(before, rest)| Some((before, rest.split_once(" - ")?.1)));
    parts.map(|(before, after)| format!("{before}{}", after.trim_start())).unwrap_or(words)
}
