use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How much of a stream's end is kept, in bytes.
const KEPT: usize = 16 << 10;

/// How long the rest of a stream is waited for once its process has ended. Whoever still holds it then is a
/// process that left the group, and may hold it for ever.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads a stream to its end, so that its writer never waits, and keeps the last of it.
pub(crate) struct StreamTail {
    end: Receiver<Vec<u8>>,
}

impl StreamTail {
    /// Starts to read.
    pub(crate) fn read(mut stream: impl Read + Send + 'static) -> StreamTail {
        let (sender, end) = channel();
        thread::spawn(move || {
            let mut tail = VecDeque::new();
            let mut block = vec![0; 64 << 10];
            while let Ok(length @ 1..) = stream.read(&mut block) {
                tail.extend(&block[..length]);
                tail.drain(..tail.len().saturating_sub(KEPT));
            }
            // Nobody waits for it any more when its process has been given up.
            let _ = sender.send(tail.into());
        });
        StreamTail { end }
    }

    /// What was kept, as text; nothing where the stream does not end.
    pub(crate) fn text(self) -> String {
        let tail = self.end.recv_timeout(PATIENCE).unwrap_or_default();
        String::from_utf8_lossy(&tail).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_stream_is_kept() {
        let stream = std::io::repeat(b'a').take(1 << 20).chain(&b"\nlast \xff line\n"[..]);
        let text = StreamTail::read(stream).text();
        assert!(text.ends_with("a\nlast \u{fffd} line\n"), "{}", &text[text.len() - 20..]);
        assert!(text.len() <= KEPT + 2);
    }
}
