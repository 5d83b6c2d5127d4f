//! Objects planned and applied to a cluster: dry run, staged apply, prune, wait.
