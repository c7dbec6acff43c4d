use std::fmt;

/// What part of a machine a counter is of.
///
/// Cores and GPU are parts of a package; dram is beside it, for most processors; psys holds everything. So
/// no two kinds may be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A processor package, or one of its dies.
    Package,
    /// The cores of a package.
    Cores,
    /// The graphics unit of a package (RAPL's "uncore", power plane 1).
    Gpu,
    /// The memory that a package drives.
    Dram,
    /// The whole platform.
    Psys,
    /// All of the machine, of which a power was declared.
    Machine,
}

impl Kind {
    /// The kind's name, which begins those of its domains.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Package => "package",
            Kind::Cores => "cores",
            Kind::Gpu => "gpu",
            Kind::Dram => "dram",
            Kind::Psys => "psys",
            Kind::Machine => "machine",
        }
    }
}

/// Where a domain is, in a machine with several sockets and dies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The socket, from 0; none for what no socket has by itself.
    pub socket: Option<u32>,
    /// The die in the socket, from 0; none where there is but one.
    pub die: Option<u32>,
}

/// A part of the machine that has an energy counter of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// What a step of its counter stands for, in joules.
    pub joules_per_step: f64,
    /// The step at which the counter begins again at 0; none where it never does.
    pub range: Option<u64>,
}

/// Its name in tables, the same from each source: `package-0`, `package-0-die-1`, `dram-1`, `psys`.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = self.kind.name().to_owned();
        if let Some(socket) = self.place.socket {
            name += &format!("-{socket}");
        }
        if let Some(die) = self.place.die {
            name += &format!("-die-{die}");
        }
        f.pad(&name)
    }
}
