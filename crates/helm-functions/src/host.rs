//! What the functions need of the outside: a cluster, a clock, chance. All of it comes in by the
//! caller's hand.

use std::collections::HashMap;
use std::fmt;

use go_template::{Call, CallError, Value};
use jiff::Timestamp;

use crate::error::FunctionError;
use crate::regexes;

/// Answers Helm's `lookup`.
pub trait Lookup {
    /// The object of that name, or, if the name is empty, the list of all of the kind; in the
    /// namespace, or all if it is empty. An empty map if there is none.
    ///
    /// # Errors
    /// What the template shall fail with.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Value, String>;
}

/// No cluster: everything is an empty map, as where Helm renders without one.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCluster;

impl Lookup for NoCluster {
    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Value, String> {
        Ok(Value::Map(go_template::Map::default()))
    }
}

/// Answers `getHostByName`.
pub trait Hosts {
    /// An address of the host; none if it has none.
    fn address(&self, host: &str) -> Option<String>;
}

/// No network: no host has an address, so that a rendering can be repeated.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNetwork;

impl Hosts for NoNetwork {
    fn address(&self, _: &str) -> Option<String> {
        None
    }
}

/// Gives random bytes.
pub trait Entropy {
    /// Fills the buffer. `false` if that was not possible.
    fn fill(&mut self, buffer: &mut [u8]) -> bool;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, buffer: &mut [u8]) -> bool {
        aws_lc_rs::rand::fill(buffer).is_ok()
    }
}

/// The functions' own limits; sizes and steps are the session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys and password hashes, in units of some 30 ms of work: a bcrypt hash and an RSA key of
    /// 2048 bits are two of them, an RSA key of 4096 bits is 13.
    pub costly_calls: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { costly_calls: 56 }
    }
}

/// The state that the functions find in a session.
pub struct Helm {
    /// Helm's lint mode: `required` and `fail` let the template go on.
    pub lint: bool,
    pub(crate) now: Timestamp,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) lookup: Box<dyn Lookup>,
    pub(crate) hosts: Box<dyn Hosts>,
    /// How often each template is included at the moment.
    pub(crate) included: HashMap<String, u32>,
    pub(crate) regexes: regexes::Cache,
    limits: Limits,
    costly_calls_left: u64,
    is_rehearsal: bool,
}

impl Helm {
    /// State for one rendering: it is always the same moment in it.
    pub fn new(now: Timestamp, entropy: impl Entropy + 'static) -> Self {
        let limits = Limits::default();
        Self {
            lint: false,
            now,
            entropy: Box::new(entropy),
            lookup: Box::new(NoCluster),
            hosts: Box::new(NoNetwork),
            included: HashMap::new(),
            regexes: HashMap::new(),
            limits,
            costly_calls_left: limits.costly_calls,
            is_rehearsal: false,
        }
    }

    /// With a cluster to look things up in.
    #[must_use]
    pub fn with_lookup(mut self, lookup: impl Lookup + 'static) -> Self {
        self.lookup = Box::new(lookup);
        self
    }

    /// With a network to find hosts in.
    #[must_use]
    pub fn with_hosts(mut self, hosts: impl Hosts + 'static) -> Self {
        self.hosts = Box::new(hosts);
        self
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.costly_calls_left = limits.costly_calls;
        self
    }

    /// A rehearsal first: keys and password hashes are counted, and stand-ins given out for them.
    ///
    /// Making as many as the limits allow takes seconds, which templates that make too many, or
    /// fail for other reasons, are not worth.
    #[must_use]
    pub fn rehearsing(mut self) -> Self {
        self.is_rehearsal = true;
        self
    }

    /// Ends the rehearsal. Whether stand-ins were given out: then what was rendered is worth
    /// nothing, and rendering it again is the real thing.
    pub fn end_rehearsal(&mut self) -> bool {
        let was_costly = self.is_rehearsal && self.costly_calls_left < self.limits.costly_calls;
        self.is_rehearsal = false;
        self.costly_calls_left = self.limits.costly_calls;
        was_costly
    }
}

impl fmt::Debug for Helm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Helm")
            .field("lint", &self.lint)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// The state of the session.
pub(crate) fn helm<'c>(call: &'c mut Call<'_>) -> Result<&'c mut Helm, CallError> {
    call.session.state::<Helm>().ok_or_else(|| FunctionError::NoState.into())
}

/// Random bytes.
pub(crate) fn random(call: &mut Call<'_>, count: usize) -> Result<Vec<u8>, CallError> {
    call.make(count)?;
    let mut buffer = vec![0; count];
    if helm(call)?.entropy.fill(&mut buffer) {
        Ok(buffer)
    } else {
        Err(FunctionError::NoEntropy.into())
    }
}

/// Whether costly work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Real,
    /// A stand-in will do.
    Rehearsal,
}

/// To be called before what takes this many units of [`Limits::costly_calls`].
pub(crate) fn spend_costly(call: &mut Call<'_>, cost: u64) -> Result<Work, CallError> {
    let helm = helm(call)?;
    match helm.costly_calls_left.checked_sub(cost) {
        Some(left) => {
            helm.costly_calls_left = left;
            Ok(if helm.is_rehearsal { Work::Rehearsal } else { Work::Real })
        }
        None => Err(FunctionError::Exhausted {
            what: "units of keys and password hashes",
            limit: helm.limits.costly_calls,
        }
        .into()),
    }
}
