//! Shorter forms of an event that is longer than a controller takes. Each says that something is left out; none says anything else than
//! the event does.

use model::{Event, EventBody, Plan, PlannedNode};

/// The forms of `event`, each shorter than the one before it; only a plan has any.
pub(super) fn shorter(event: &Event) -> Vec<Event> {
    let EventBody::Plan(plan) = &event.body else { return Vec::new() };
    let without_texts = with_nodes(plan, |node| node.texts.clear());
    let verdicts_only = with_nodes(plan, |node| {
        node.texts.clear();
        node.steps.clear();
        node.refresh.clear();
    });
    [without_texts, verdicts_only].map(|plan| Event { body: EventBody::Plan(plan), ..event.clone() }).into()
}

fn with_nodes(plan: &Plan, change: impl Fn(&mut PlannedNode)) -> Plan {
    let mut plan = plan.clone();
    plan.nodes.iter_mut().for_each(change);
    plan
}

/// What is said besides, or instead where even the shortest form is too long.
pub(super) fn notice(event: &Event, what: &str) -> Event {
    let kind = if matches!(event.body, EventBody::Plan(_)) { "the plan" } else { "something" };
    Event { body: EventBody::Note { text: format!("{kind} is too long to be told {what}") }, ..event.clone() }
}

#[cfg(test)]
mod tests {
    use super::{notice, shorter};
    use model::{Event, EventBody, HostPath, Id, Op, Plan, PlannedNode, Step, Verdict};

    fn event(body: EventBody) -> Event {
        Event { at: String::new(), seq: 3, body }
    }

    #[test]
    fn a_plan_loses_its_texts_then_its_steps_and_never_a_node() {
        let step = Step::new(Op::Remove { path: HostPath::new("/a").unwrap() });
        let node = PlannedNode {
            verdict: Verdict::Change,
            steps: vec![step],
            texts: vec![("/a".into(), "-a\n".into())],
            ..PlannedNode::unchanged(Id::new("file", "/a"))
        };
        let forms = shorter(&event(EventBody::Plan(Plan { nodes: vec![node], ..Plan::default() })));
        let parts = forms.iter().map(|form| {
            let EventBody::Plan(plan) = &form.body else { panic!("{form:?}") };
            let node = &plan.nodes[0];
            (node.verdict.clone(), node.steps.len(), node.texts.len())
        });
        assert_eq!(parts.collect::<Vec<_>>(), [(Verdict::Change, 1, 0), (Verdict::Change, 0, 0)]);
    }

    #[test]
    fn nothing_else_is_shortened_and_all_is_mentioned() {
        let node = event(EventBody::Working { id: Id::new("file", "/a") });
        assert_eq!(shorter(&node), []);
        let EventBody::Note { text } = notice(&node, "at all").body else { panic!("a note") };
        assert_eq!(text, "something is too long to be told at all");
    }
}
