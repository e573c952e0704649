//! What `ActiveState` of systemd means for "is it running".

/// True for `active`, `activating`, `reloading` and `refreshing` (systemctl(1)); `failed` and `deactivating` are not.
pub fn is_running(active_state: &str) -> bool {
    matches!(active_state, "active" | "activating" | "reloading" | "refreshing")
}
