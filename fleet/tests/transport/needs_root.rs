//! Everything here starts sshds of its own.

use crate::sshd::Sshd;
use fleet::{Access, Endpoint, Keyring, Passwords, Prompts, Received, Transport, Trouble, connect};
use model::Secret;
use std::time::Duration;

struct Nobody;
impl Prompts for Nobody {
    fn secret(&self, _: &str) -> Option<Secret<String>> {
        None
    }
}

fn run(endpoint: &Endpoint, command: &str) -> Result<(String, Option<i32>), Trouble> {
    let access = Access {
        prompts: &Nobody,
        transport: Transport::Ssh2,
        passwords: Passwords::Never,
        keyring: &Keyring::default(),
        notes: &|_| {},
    };
    let mut pipe = connect(endpoint, &access)?.exec(command)?;
    let mut said = Vec::new();
    let mut buffer = [0; 5000];
    loop {
        match pipe.receive(&mut buffer, Duration::from_secs(10))? {
            Received::Bytes(count) => said.extend_from_slice(&buffer[..count]),
            Received::Nothing => panic!("nothing"),
            Received::End => break,
        }
    }
    let status = pipe.finish(Duration::from_secs(5))?;
    Ok((String::from_utf8(said).unwrap(), status))
}

#[test]
fn it_runs() {
    let sshd = Sshd::start(&[]);
    assert_eq!(run(&sshd.endpoint(), "echo hi; exit 7").unwrap(), ("hi\n".to_owned(), Some(7)));
    assert_eq!(run(&sshd.endpoint(), "kill -9 $$").unwrap(), (String::new(), None));
    let inner = Sshd::start(&[]);
    let mut endpoint = inner.endpoint();
    endpoint.jumps = vec![sshd.endpoint()];
    assert_eq!(run(&endpoint, "echo hi; exit 7").unwrap(), ("hi\n".to_owned(), Some(7)));
}
