//! Any bytes as the ledger of a host: reading it must not panic, and what it says must be fit to be shown. Touches no file and no host.
#![no_main]

use agent::state::{Applied, Ledger};
use libfuzzer_sys::fuzz_target;
use model::{Because, Catalog, Secrets};

fuzz_target!(|data: &[u8]| match Ledger::of(data.to_vec()) {
    Ok(mut ledger) => {
        let catalog = Catalog::default();
        let orphans = ledger.orphans("a", &catalog);
        let names: Vec<_> = orphans.into_keys().collect();
        assert!(
            names.iter().all(|id| ledger.because("a", id, None) == Because::Unknown),
            "nothing is guessed"
        );
        let (secrets, mut forgetful) = (Secrets::default(), ledger.clone());
        forgetful.roll_back(&names);
        ledger.update("a", (&catalog, &names), (&[], &Applied::under(&secrets, None)));
        assert!(ledger.orphans("a", &catalog).is_empty(), "what was removed is gone");
    }
    Err(damage) => {
        let words = damage.to_string();
        assert!(words.len() < 1000 && !words.contains(char::is_control), "{words:?}");
    }
});
