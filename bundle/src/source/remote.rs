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
use tokio::time::timeout;

/// A server has so long to answer at all.
const CONNECT: Duration = Duration::from_secs(10);
/// So long it may be silent.
const SILENCE: Duration = Duration::from_secs(30);
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
    silence: Duration,
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
        Ok(Self {
            address: address.trim_end_matches('/').to_owned(),
            prefix,
            store,
            runtime,
            silence: SILENCE,
        })
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
        let silence = self.silence;
        let silent = |_| Refusal::io("fetch", &place, format!("nothing came for {} s", silence.as_secs()));
        self.runtime.block_on(async {
            let found = match timeout(silence, self.store.get(&self.path(name))).await.map_err(silent)? {
                Err(Error::NotFound { .. }) => return Ok(None),
                found => found.map_err(cannot)?,
            };
            let (mut pieces, mut size) = (found.into_stream(), 0);
            while let Some(piece) = timeout(silence, pieces.next()).await.map_err(silent)? {
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

/// Without how long it took and how often it was tried, nor what S3 calls the request: the same trouble has the same words each time, so that it
/// is told once.
fn untimed(words: String) -> String {
    let words = words.split_once("<RequestId>").map(|(before, _)| before.to_owned()).unwrap_or(words);
    let parts = words
        .split_once("Error performing ")
        .and_then(|(before, rest)| Some((before, rest.split_once(" - ")?.1)));
    parts.map(|(before, after)| format!("{before}{}", after.trim_start())).unwrap_or(words)
}

#[cfg(test)]
mod tests {
    use super::{Remote, untimed};
    use crate::source::Source as _;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    #[test]
    fn the_same_trouble_has_the_same_words() {
        let words = |time, id| {
            format!(
                "no: Error performing GET http://x/ in {time}, after 2 retries  - <Code>Denied</Code><RequestId>{id}</RequestId>"
            )
        };
        assert_eq!(untimed(words("1ms", "A1")), "no: <Code>Denied</Code>");
        assert_eq!(untimed(words("1ms", "A1")), untimed(words("2.5s", "B2")));
    }

    /// What is told of a server that says this and then nothing any more, and how long that took.
    fn told(words: &'static [u8]) -> (String, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}/x", listener.local_addr().expect("it has one"));
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody calls");
                assert!(stream.read(&mut [0; 4096]).expect("a request") > 0);
                stream.write_all(words).expect("it listens");
                held.push(stream);
            }
        });
        let mut place = Remote::web(&address).expect("it is a place");
        place.silence = Duration::from_secs(1);
        let began = Instant::now();
        let refusal = place.get("a", 100, &mut Vec::new()).expect_err("nothing comes");
        (refusal.to_string(), began.elapsed())
    }

    #[test]
    fn nobody_waits_long_for_who_is_silent() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nLast-Modified: Sat, 21 Nov 2026 12:00:00 GMT\r\nETag: \"x\"\r\n\r\nhello";
        for words in [&b""[..], head] {
            let (told, took) = told(words);
            assert!(told.ends_with("/x/a: nothing came for 1 s"), "{told}");
            assert!(took < Duration::from_secs(10), "{took:?}");
        }
    }
}
