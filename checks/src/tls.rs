//! TLS towards a server whose certificate is looked at: its name, who signed it, and how long it still lasts. Nothing is taken that the
//! usual rules would not take. The only user of rustls for checks.

use agent::checks::{Certified, Channel, Tls, Unsecured, hurry};
use jiff::Timestamp;
use model::{Failure, Shortfall};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls::{Error, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What speaks TLS.
pub struct Rustls;

impl Tls for Rustls {
    fn open(&self, stream: TcpStream, wanted: &Certified<'_>) -> Result<Box<dyn Channel>, Unsecured> {
        let unknown = |why: String| Unsecured::Failed(Failure::unknown(wanted.name, why));
        let provider = Arc::new(ring::default_provider());
        let config = config(&provider, wanted).map_err(unknown)?;
        let name = ServerName::try_from(wanted.name.to_owned())
            .map_err(|_| unknown("a certificate cannot be for this name".to_owned()))?;
        let connection =
            ClientConnection::new(Arc::new(config), name).map_err(|error| unknown(error.to_string()))?;
        let mut stream = StreamOwned::new(connection, Hurried { stream, until: wanted.until });
        while stream.conn.is_handshaking() {
            if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                return Err(Unsecured::Short(short(&error, wanted)));
            }
        }
        Ok(Box::new(Secured(stream)))
    }
}

fn config(provider: &Arc<CryptoProvider>, wanted: &Certified<'_>) -> Result<ClientConfig, String> {
    let roots = Arc::new(roots(wanted.ca)?);
    let usual = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build();
    let usual = usual.map_err(|error| error.to_string())?;
    let verifier = Lasting { usual, valid_for: Duration::from_secs(wanted.valid_for) };
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    // Not less strict than usual: it asks the usual one, twice.
    let mut config =
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Who is trusted: `ca`, or where it is empty whom this machine trusts.
fn roots(ca: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    if ca.is_empty() {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        let why = || found.errors.first().map_or("there are none".to_owned(), ToString::to_string);
        return if roots.is_empty() {
            Err(format!("the certificates that this machine trusts: {}", why()))
        } else {
            Ok(roots)
        };
    }
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("`ca` is no PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("`ca` holds no certificate to trust: {error}"))?;
    }
    if roots.is_empty() { Err("`ca` holds no certificate".to_owned()) } else { Ok(roots) }
}

/// The usual rules, now and at the end of a time.
#[derive(Debug)]
struct Lasting {
    usual: Arc<WebPkiServerVerifier>,
    valid_for: Duration,
}

impl ServerCertVerifier for Lasting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let at = |time| self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp, time);
        let verified = at(now)?;
        if self.valid_for.is_zero() {
            return Ok(verified);
        }
        at(UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()).saturating_add(self.valid_for)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// In what the server is not as wanted.
fn short(error: &io::Error, wanted: &Certified<'_>) -> Shortfall {
    let certificate = |wanted: String, seen: String| Shortfall::new("certificate", wanted, seen);
    let told = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let why = match told {
        Some(Error::InvalidCertificate(why)) => why,
        _ => return Shortfall::new("tls", format_args!("TLS with {}", wanted.name), trouble(error)),
    };
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            let lasting = match (wanted.valid_for, wanted.valid_for / 86_400) {
                (0, _) => "valid".to_owned(),
                (seconds, 0) => format!("valid for {seconds} s more"),
                (_, days) => format!("valid for {days} days more"),
            };
            certificate(lasting, format!("its end on {}", day(*not_after)))
        }
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            // They come as `DnsName("www.example.org")`.
            let names: Vec<&str> =
                presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
            certificate(format!("for {}", wanted.name), format!("for {}", names.join(", ")))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            certificate(format!("for {}", wanted.name), "for no name at all".to_owned())
        }
        CertificateError::UnknownIssuer => {
            let trusted =
                if wanted.ca.is_empty() { "by one whom this machine trusts" } else { "by one of `ca`" };
            certificate(trusted.to_owned(), "by somebody else".to_owned())
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            certificate("valid".to_owned(), format!("its beginning on {}", day(*not_before)))
        }
        // As `openssl req -x509` makes them.
        other if other.to_string().contains("CaUsedAsEndEntity") => certificate(
            "of a server".to_owned(),
            "of an authority (CA:TRUE), which no server may have".to_owned(),
        ),
        other => certificate("a valid one".to_owned(), other.to_string()),
    }
}

fn trouble(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "no answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "the end of the connection".to_owned(),
        _ => error.to_string(),
    }
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let stamp = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    stamp.map_or("a day beyond all calendars".to_owned(), |stamp| stamp.strftime("%Y-%m-%d").to_string())
}

/// A connection each of whose reads and writes ends in time.
struct Hurried {
    stream: TcpStream,
    until: Instant,
}

impl Read for Hurried {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        hurry(&self.stream, self.until)?;
        self.stream.read(buffer)
    }
}

impl Write for Hurried {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hurry(&self.stream, self.until)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A connection with TLS.
struct Secured(StreamOwned<ClientConnection, Hurried>);

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Secured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Channel for Secured {
    fn socket(&self) -> &TcpStream {
        &self.0.sock.stream
    }

    /// With the alert that tells an end from a connection that was cut (RFC 8446, 6.1).
    fn finish(&mut self) -> io::Result<()> {
        self.0.conn.send_close_notify();
        self.0.flush()?;
        self.socket().shutdown(Shutdown::Write)
    }
}
