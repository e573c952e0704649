//! Talking with the agent: what it is handed, what it may say, and each way in which the conversation breaks.

use crate::host::{As, Host, frames, hello, in_words};
use crate::scripted::{Scripted, WARM};
use crate::told::Told;
use fleet::{End, Endpoint, Password};
use model::{Content, Digest, Event, EventBody, Failure, Plan, Report};
use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::{Blobs, Down, Ending, Heard, Inbox, NoBlobs, Order, Terms, Up, Work};

fn event(body: EventBody) -> Up {
    Up::Event(Box::new(Event { at: String::new(), seq: 0, body }))
}

fn plan() -> Up {
    event(EventBody::Plan(Plan::default()))
}

fn started() -> Up {
    event(EventBody::Started { run: "1".to_owned() })
}

fn apply() -> Order {
    let params =
        serde_json::json!({ "content": Content::reference(Digest::of(CONTENT), CONTENT.len() as u64) });
    let (id, origins) = (model::Id::new("file", "/a"), Vec::new());
    let node = model::Node { id, origins, params, common: model::Common::default() };
    // Whoever gives an order does not know who logs in.
    let terms = Terms { login: Some("???".to_owned()), ..Terms::default() };
    let catalog = model::Catalog::new(vec![node], Vec::new()).unwrap();
    Order::Apply(Work { catalog, terms, ..Work::default() })
}

const CONTENT: &[u8] = b"the content of /a";

struct Site;

impl Blobs for Site {
    fn open(&self, _: &Digest) -> Result<Box<dyn Read>, Failure> {
        Ok(Box::new(Cursor::new(CONTENT)))
    }
}

/// A host whose agent says the files of `talk` one after the other, each as soon as it has heard so many bytes.
fn host(talk: &[(usize, &[Up])]) -> Host {
    let host = Host::new(As::Root);
    let mut script = "exec 3<&0; : >received; cat <&3 >>received & ".to_owned();
    for (index, (heard, words)) in talk.iter().enumerate() {
        host.says(&format!("words{index}"), words);
        script +=
            &format!("until [ $(wc -c <received) -ge {heard} ]; do sleep 0.02; done; cat words{index}; ");
    }
    host.agent(&(script + "wait"));
    host
}

/// What the agent was told.
fn received(host: &Host) -> Vec<Heard<Down>> {
    let (mut inbox, bytes) = (Inbox::default(), std::fs::read(host.path("received")).unwrap());
    let mut bytes = &bytes[..];
    std::iter::from_fn(|| inbox.hear(&mut bytes).unwrap()).collect()
}

fn told(order: Order) -> Told {
    let mut told = Told { order: Ok(order), blobs: || Box::new(Site), ..Told::default() };
    told.secrets.keep("s".to_owned(), b"hunter2".to_vec());
    told
}

/// Bytes of the order as the agent hears it.
fn order_length(told: &Told) -> usize {
    let mut bytes = Vec::new();
    wire::send_order(&mut bytes, wire::VERSION, told.order.clone().unwrap(), &told.secrets).unwrap();
    bytes.len()
}

/// Everything that the agent hears of an order that it says yes for.
fn whole(mut order: Order) -> [Heard<Down>; 8] {
    order.terms_mut().unwrap().login = Some("ada".to_owned());
    let (digest, size) = (Digest::of(CONTENT), CONTENT.len() as u64);
    [
        Heard::Message(Down::Speak { protocol: wire::VERSION }),
        Heard::Message(Down::Order(Box::new(order))),
        Heard::Message(Down::Secret { name: "s".to_owned() }),
        Heard::Bytes(b"hunter2".to_vec()),
        Heard::Message(Down::Go),
        Heard::Message(Down::Content { digest, size }),
        Heard::Bytes(CONTENT.to_vec()),
        Heard::Message(Down::Answer { yes: true }),
    ]
}

#[test]
fn an_order_is_handed_over_with_all_that_belongs_to_it() {
    let told = told(apply());
    let (digest, size) = (Digest::of(CONTENT), CONTENT.len() as u64);
    let order = order_length(&told);
    let content = frames(&[Down::Content { digest, size }]).len() + 5 + CONTENT.len();
    let yes = frames(&[Down::Answer { yes: true }]).len();
    let done = [started(), event(EventBody::Report(Report::default())), Up::Done(Ending::Changed)];
    let host = host(&[
        (0, &[hello("h")]),
        (order, &[Up::Want(vec![digest]), plan()]),
        (order + content, &[Up::Question]),
        (order + content + yes, &done),
    ]);
    assert_eq!(host.push(&told, &Password::never()), End::Ended(Ending::Changed));
    assert_eq!(received(&host), whole(told.order.clone().unwrap()));
    let lines = told.lines().join("\n");
    assert!(lines.find("asked") < lines.find("stage Run") && !lines.contains("hunter2"), "{lines}");
}

#[test]
fn a_no_is_no_commit() {
    let told = Told { answer: Some(false), ..told(apply()) };
    let order = order_length(&told);
    let no = frames(&[Down::Answer { yes: false }]).len();
    let host = host(&[
        (0, &[hello("h")]),
        (order, &[plan(), Up::Question]),
        (order + no, &[Up::Done(Ending::Declined)]),
    ]);
    assert_eq!(host.push(&told, &Password::never()), End::Ended(Ending::Declined));
    assert!(!told.has("stage Run"));
}

#[test]
fn a_host_that_gets_no_order_is_told_nothing() {
    let told = Told { order: Err("no catalog".to_owned()), ..Told::default() };
    let host = host(&[(0, &[hello("h")])]);
    assert_eq!(host.push(&told, &Password::never()), End::Refused("no catalog".to_owned()));
    assert!(received(&host).is_empty());
}

#[test]
fn who_wants_to_stop_is_heard_before_the_commit_and_after_it() {
    for (answer, ending) in [(None, Ending::Declined), (Some(true), Ending::Failed)] {
        let told = Told { answer, ..told(apply()) };
        let (order, stop) = (order_length(&told), AtomicBool::new(false));
        let more = answer.map_or(0, |yes| frames(&[Down::Answer { yes }]).len());
        let said = frames(&[Down::Stop]).len();
        let host = host(&[
            (0, &[hello("h")]),
            (order, &[plan(), Up::Question]),
            (order + more + said, &[Up::Done(ending.clone())]),
        ]);
        std::thread::scope(|scope| {
            let stopper = scope.spawn(|| {
                while !told.has(if answer.is_some() { "stage Run" } else { "asked" }) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                stop.store(true, Ordering::SeqCst);
            });
            assert_eq!(host.push_until(&told, &Password::never(), &stop), End::Ended(ending));
            stopper.join().unwrap();
        });
    }
}

#[test]
fn who_wants_to_stop_is_not_connected_any_more() {
    let (host, stop) = (Host::new(As::Root), AtomicBool::new(true));
    let end = host.push_until(&Told::default(), &Password::never(), &stop);
    assert_eq!(in_words(&end), "not tried: stopped before its turn");
}

/// What an agent does, and what its end is called.
const CRASHES: &[(&str, &str)] = &[
    (
        "sleep 0.1; CRASH",
        "the agent ended before it was done (exit status 101) while waiting for the agent's first words; it said: main panicked | \\u{1b}[2J",
    ),
    (
        "cat hello; sleep 0.3; CRASH",
        "the agent ended before it was done (exit status 101) while planning; nothing had been changed; it said: main panicked | \\u{1b}[2J",
    ),
    (
        "cat hello; sleep 0.3; kill -9 $$",
        "the agent ended before it was done (killed by a signal) while planning; nothing had been changed",
    ),
    (
        "echo 'sh: 1: exec: /x: Permission denied' >&2; exit 126",
        "the host does not let the agent run, as where /var/lib is mounted noexec; it said: sh: 1: exec: /x: Permission denied",
    ),
    (
        "cat hello plan question; sleep 1",
        "the agent ended before it was done (exit status 0) in the middle of the run: what it has done is in `keel history h1`, and the next `keel apply` takes it up",
    ),
];

#[test]
fn an_agent_that_ends_too_early_is_quoted() {
    for (agent, words) in CRASHES {
        let host = Host::new(As::Root);
        host.says("plan", &[plan()]);
        host.says("question", &[Up::Question]);
        host.agent(&agent.replace("CRASH", r"printf 'main panicked\n\033[2J' >&2; exit 101"));
        assert_eq!(in_words(&host.push(&told(apply()), &Password::never())), *words, "{agent}");
    }
}

/// What a host says, over a connection that is cut then; what it ends with.
fn cut_after(words: Vec<u8>, after: &[Up], order: Order) -> String {
    let connect = |_: &Endpoint| -> Result<_, _> {
        let after = frames(after);
        Ok(Box::new(Scripted { script: WARM.to_owned(), words: words.clone(), after }) as _)
    };
    let host = Host::new(As::Root);
    in_words(&host.push_by(&connect, (&told(order), &Password::never()), &AtomicBool::new(false)))
}

#[test]
fn a_lost_connection_says_where_it_was_lost() {
    let asked = [hello("h"), plan(), Up::Question];
    for (words, after, trouble) in [
        (
            &[][..],
            &[][..],
            "the connection was lost while waiting for the agent's first words: the cable was cut",
        ),
        (
            &asked[..1],
            &[],
            "the connection was lost while planning; nothing had been changed: the cable was cut",
        ),
        (
            &asked,
            &[],
            "the connection was lost as the run was to begin (the cable was cut); whether the run has begun says `keel history h1`",
        ),
        (
            &asked,
            &[started()],
            "the connection was lost after the run had begun (the cable was cut); run 1 goes on there by itself, and `keel attach 1 h1` tells how it ends",
        ),
    ] {
        assert_eq!(cut_after(frames(words), after, apply()), trouble);
    }
}

#[test]
fn no_last_word_is_better_than_the_report() {
    let failed = event(EventBody::Report(Report { failed: 1, ..Report::default() }));
    let words = frames(&[hello("h"), plan(), failed, Up::Done(Ending::Unchanged)]);
    let trouble = "the host does not keep to the protocol while planning; nothing had been changed: \
                   out of order: an end that its report gainsays";
    assert_eq!(cut_after(words, &[], apply()), trouble);
}

#[test]
fn a_host_that_does_not_keep_to_the_protocol_is_left() {
    let wrong = |while_: &str, because: &str| {
        format!("the host does not keep to the protocol while {while_}: {because}")
    };
    let (first, planning) = ("waiting for the agent's first words", "planning; nothing had been changed");
    let greeted = |up: Up| frames(&[hello("h"), up]);
    let version = |protocol| match hello("h") {
        Up::Hello(hello) => frames(&[Up::Hello(Box::new(wire::Hello { protocol, ..*hello }))]),
        _ => unreachable!(),
    };
    for (words, trouble) in [
        (b"Segmentation fault\n".to_vec(), wrong(first, "a frame begins with 0x53, which is no tag")),
        (b"\x01\xff\xff\xff\xff".to_vec(), wrong(first, "a frame claims 4294967295 bytes, and 16777216 are the most")),
        (frames(&[plan()]), wrong(first, "out of order: the first words are not `hello`")),
        (frames(&[hello("a\u{1b}[2J")]), wrong(first, "the fact `hostname` holds a control character")),
        (greeted(hello("h")), wrong(planning, "out of order: first words twice")),
        (greeted(Up::Question), wrong(planning, "out of order: a question without a plan that could be carried out")),
        (greeted(started()), wrong(planning, "out of order: a run begins that nobody said yes to")),
        (greeted(Up::Want(vec![Digest::of(b"x")])), wrong(planning, "out of order: wants contents that the catalog does not name, or wants them twice")),
        (version(9), "keel and the agent beside it are of different builds: the other side speaks version 9 of the protocol, and this one 1; put the agent of this build beside keel".to_owned()),
    ] {
        assert_eq!(cut_after(words, &[], apply()), trouble);
    }
}

#[test]
fn a_flood_ends() {
    let text = format!("\"alive\"{}", " ".repeat(8 << 20)).into_bytes();
    let flood = wire::encode(&wire::Frame::Message(text)).unwrap();
    let words = [frames(&[hello("h")]), flood.repeat(20)].concat();
    let end = cut_after(words, &[], apply());
    assert!(end.ends_with("the messages come to more than 134217728 bytes"), "{end}");
}

#[test]
fn silence_ends() {
    for (agent, words) in [
        ("sleep 100", "no answer within 1 s while waiting for the agent's first words"),
        (
            "cat hello; sleep 100",
            "the connection was lost while planning; nothing had been changed: the agent has said nothing for 2 s",
        ),
        // A byte now and then is no first word.
        (
            "while printf '\\1'; do sleep 0.1; printf '\\0'; done",
            "no answer within 1 s while waiting for the agent's first words",
        ),
    ] {
        let mut host = Host::new(As::Root);
        host.agent(agent);
        // Who says hello may be late with it on a busy machine.
        match agent.contains("hello") {
            true => host.patience.silence = Duration::from_secs(2),
            false => host.patience.first_words = Duration::from_secs(1),
        }
        assert_eq!(host.end(), words, "{agent}");
    }
}

#[test]
fn what_the_order_takes_here_is_no_silence_of_the_host() {
    let mut host = Host::new(As::Root);
    host.says("done", &[Up::Done(Ending::Unchanged)]);
    host.agent("cat hello; head -c 1 >/dev/null; cat done; cat >/dev/null");
    host.patience.silence = Duration::from_secs(3);
    let slow: fn() -> Box<dyn Blobs> = || {
        std::thread::sleep(Duration::from_millis(3500));
        Box::new(NoBlobs)
    };
    let end = host.push(&Told { blobs: slow, ..Told::default() }, &Password::never());
    assert_eq!(in_words(&end), "Unchanged");
}
