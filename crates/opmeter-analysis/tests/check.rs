//! What the check of a recording's tables allows for, and what not.

use opmeter_analysis::{Check, Difference, EventCounts};
use opmeter_recording::{Dispatch, InstructionRow, LineRow, Manifest, OpcodeRow, Phase, Process, Tables};

/// A check of a process that ended in a phase, in whose `main` an opcode ran so often: by the opcodes, by instructions,
/// and by events.
fn check(last_phase: Option<Phase>, end: &str, [opcodes, instructions, events]: [u64; 3]) -> Check {
    let process = Process {
        last_phase,
        end: end.to_owned(),
        dispatch: Dispatch { slots: 1, ..Dispatch::default() },
        ..Process::default()
    };
    let manifest = Manifest { processes: vec![process], ..Manifest::default() };
    let opcode = OpcodeRow {
        phase: Phase::Main,
        opcode: "LOAD_FAST".into(),
        base_opcode: "LOAD_FAST".into(),
        process: 0,
        number: 124,
        executions: opcodes,
        time: None,
    };
    let instruction = InstructionRow {
        process: 0,
        phase: Phase::Main,
        file: "f.py".into(),
        function: "f".into(),
        first_line: 1,
        line: 1,
        offset: 0,
        opcode: "LOAD_FAST".into(),
        executions: instructions,
        code: 0,
        argument: 0,
        time: None,
    };
    let line = LineRow {
        process: 0,
        phase: Phase::Main,
        file: "f.py".into(),
        line: 1,
        executions: instructions,
        hits: 1,
        time: None,
    };
    let tables = Tables {
        opcodes: vec![opcode],
        instructions: vec![instruction],
        lines: vec![line],
        ..Tables::default()
    };
    let mut check = Check::new(&manifest, &tables);
    let counts = [((0, Phase::Main, "LOAD_FAST".into()), events)].into();
    check.add_events(&tables, &EventCounts { processes: vec![0], counts });
    check
}

#[test]
fn a_process_that_ended_in_good_order_adds_up_exactly() {
    for end in [Some(Phase::Shutdown), None] {
        assert!(check(end, Process::EXITED, [10, 10, 10]).is_ok());
        assert!(!check(end, Process::EXITED, [10, 9, 10]).is_ok());
        assert!(!check(end, Process::EXITED, [10, 10, 9]).is_ok());
    }
}

#[test]
fn a_process_that_was_cut_short_may_lack_what_it_was_at() {
    let cut_short = |counts| check(Some(Phase::Main), Process::EXITED, counts);
    for counts in [[10, 9, 10], [10, 10, 9], [9, 10, 10]] {
        let check = cut_short(counts);
        assert!(check.is_ok() && check.parts[0].cut_short > 0, "{counts:?}: {:?}", check.parts);
    }
    assert_eq!(cut_short([10, 10, 10]).parts[0].cut_short, 0);
    let many = cut_short([100, 100, 96]);
    assert!(matches!(&many.parts[0].differences[..], [Difference::Events { opcodes: 100, events: 96, .. }]));
    // Only where it was at its end.
    assert!(!check(Some(Phase::Startup), Process::EXITED, [10, 9, 10]).is_ok());
}

#[test]
fn a_process_that_runs_on_is_not_compared() {
    let running = check(Some(Phase::Main), Process::RUNNING, [1000, 10, 500]);
    assert!(running.is_ok() && running.parts[0].running, "{:?}", running.parts);
}
