use std::thread;
use std::time::Duration;

/// Moves of a counter that tell its period.
const MOVES: usize = 16;

/// Moves that have to do where there are so few in the time.
const FEW_MOVES: usize = 4;

/// How long counters are watched, in seconds: while others move; where none has moved, or one so seldom that it is
/// not clear how often; and where it moved only once.
const WATCHED: (f64, f64, f64) = (0.5, 2.0, 5.0);

/// Between two looks passes so much.
const GLANCE: Duration = Duration::from_micros(100);

/// Watches counters until it is known how often they move, in seconds: the median from one move to the next; none
/// for a counter that was not seen to move twice.
///
/// `look` reads the counters, and says when it did and how often each has moved so far.
pub(crate) fn watch(begun: f64, look: &mut dyn FnMut() -> (f64, Vec<u64>)) -> Vec<Option<f64>> {
    let mut seen: Vec<(u64, Vec<f64>)> = Vec::new();
    loop {
        let (now, moves) = look();
        seen.resize(moves.len(), (0, Vec::new()));
        for ((before, times), moves) in seen.iter_mut().zip(moves) {
            if moves > *before {
                *before = moves;
                times.push(now);
            }
        }
        let watched = now - begun;
        let any = seen.iter().any(|(_, times)| !times.is_empty());
        let waiting = seen.iter().any(|(_, times)| match times.len() {
            0 => watched < if any { WATCHED.0 } else { WATCHED.1 },
            1 => watched < WATCHED.2,
            moves if moves <= FEW_MOVES => watched < WATCHED.1,
            moves if moves <= MOVES => watched < WATCHED.0,
            _ => false,
        });
        if !waiting {
            break;
        }
        thread::sleep(GLANCE);
    }
    seen.into_iter().map(|(_, times)| median_gap(&times)).collect()
}

fn median_gap(times: &[f64]) -> Option<f64> {
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_seen() {
        // A clock that goes by looks, half a millisecond each.
        let mut now = 0.0;
        let periods = watch(0.0, &mut || {
            now += 0.0005;
            let moves = |period: f64| (now / period) as u64;
            (now, vec![moves(0.002), moves(0.05), 0])
        });
        let close =
            |period: Option<f64>, to: f64| period.is_some_and(|period| (period / to - 1.0).abs() < 0.3);
        assert!(close(periods[0], 0.002) && close(periods[1], 0.05), "{periods:?}");
        assert_eq!(periods[2], None);
        assert!(now < 0.7, "what never moves is not waited for long, where others do");
    }
}
