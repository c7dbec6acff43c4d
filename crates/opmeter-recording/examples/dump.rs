//! x
use std::collections::BTreeMap;
fn main() {
    let mut bad = 0;
    let verbose = std::env::args().nth(2).is_some();
    let r =
        opmeter_recording::Recording::open(std::path::Path::new(&std::env::args().nth(1).unwrap())).unwrap();
    let mut m: BTreeMap<_, (i128, i128)> = BTreeMap::new();
    for o in &r.tables.opcodes {
        m.entry((o.process, o.phase, o.base_opcode.clone())).or_default().0 += o.executions as i128;
    }
    for o in &r.tables.instructions {
        m.entry((o.process, o.phase, o.opcode.to_string())).or_default().1 += o.executions as i128;
    }
    let (mut a, mut b) = (0, 0);
    for (k, (x, y)) in m {
        a += x;
        b += y;
        if x != y {
            bad += 1;
            println!("DIFF {k:?} opcodes {x} instructions {y}");
        }
    }
    println!(
        "procs {} rows {} opcodes {a} instructions {b} bad {bad} spec {} own {} inc {:?}",
        r.manifest.processes.len(),
        r.tables.instructions.len(),
        r.tables.specialization.len(),
        r.tables.instructions.iter().filter(|i| i.file.is_empty()).map(|i| i.executions).sum::<u64>(),
        r.manifest.incomplete
    );
    if verbose {
        for i in &r.tables.instructions {
            println!("{:?}", i)
        }
    }
}
