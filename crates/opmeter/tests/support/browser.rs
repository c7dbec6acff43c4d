//! A browser without a window, steered by the DevTools protocol over two named pipes.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

/// Where it is set, tests that need a browser fail where there is none.
const REQUIRED: &str = "OPMETER_REQUIRE_BROWSER";

/// The names that a browser may have.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// How long an answer, or what is waited for, may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The options: nothing is asked of the network, and nothing could be.
const OPTIONS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
    "--remote-debugging-pipe",
];

/// A browser with one page open.
pub struct Browser {
    process: Child,
    /// Its profile and the pipes; removed with it.
    _folder: tempfile::TempDir,
    commands: File,
    messages: Receiver<Value>,
    last_command: u64,
    session: Option<String>,
    /// What was told since the page was opened.
    events: VecDeque<Value>,
}

impl Browser {
    /// Starts a browser; none where there is none.
    ///
    /// # Panics
    /// Where there is none but has to be, or it does not start.
    pub fn start() -> Option<Browser> {
        let Some(program) = find() else {
            assert!(std::env::var_os(REQUIRED).is_none(), "no browser was found, and {REQUIRED} is set");
            eprintln!("no browser was found: what a page does in one is not tested; install chromium");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let pipes = ["commands", "messages"].map(|name| folder.path().join(name));
        for pipe in &pipes {
            mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }
        let mut command = Command::new("sh");
        command.args(["-c", r#"in=$1 out=$2; shift 2; exec "$@" 3<"$in" 4>"$out""#, "sh"]);
        command.args(&pipes).arg(program).args(OPTIONS);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let process = command
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let commands = File::options().write(true).open(&pipes[0]).unwrap();
        let mut answers = BufReader::new(File::open(&pipes[1]).unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            loop {
                let mut message = Vec::new();
                match answers.read_until(0, &mut message) {
                    Ok(1..) => message.pop(),
                    _ => return,
                };
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Browser {
            process,
            _folder: folder,
            commands,
            messages,
            last_command: 0,
            session: None,
            events: VecDeque::new(),
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session =
            browser.call("Target.attachToTarget", attached)["sessionId"].as_str().map(str::to_owned);
        for part in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{part}.enable"), json!({}));
        }
        browser.resize(1400, 1000);
        Some(browser)
    }

    /// Gives a command, and what it answers.
    ///
    /// # Panics
    /// Where the browser can't do it, or a dialog opens: no page has any.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_command += 1;
        let mut command = json!({ "id": self.last_command, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let mut text = serde_json::to_vec(&command).unwrap();
        text.push(0);
        self.commands.write_all(&text).unwrap();
        loop {
            let mut message = self.receive();
            if message["id"] == json!(self.last_command) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push_back(message);
        }
    }

    fn receive(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
        assert_ne!(message["method"], "Page.javascriptDialogOpening", "{message}");
        message
    }

    /// Opens an address, forgets what was told before, and waits until the page is loaded.
    pub fn open(&mut self, address: &str) {
        // From one place of a page to another nothing would be loaded.
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.wait("location.href === 'about:blank'");
        self.events.clear();
        self.call("Page.navigate", json!({ "url": address }));
        let is_loaded =
            |events: &VecDeque<Value>| events.iter().any(|event| event["method"] == "Page.loadEventFired");
        while !is_loaded(&self.events) {
            let message = self.receive();
            self.events.push_back(message);
        }
    }

    /// Opens a page that lies in a file.
    pub fn open_file(&mut self, path: &Path) {
        self.open(&format!("file://{}", path.display()));
    }

    /// What a script's expression is.
    ///
    /// # Panics
    /// Where it throws.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut result = self.call("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    /// The text that a script's expression is.
    pub fn text(&mut self, expression: &str) -> String {
        self.evaluate(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Waits until a script's expression is true.
    pub fn wait(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.evaluate(expression) != json!(true) {
            assert!(begun.elapsed() < PATIENCE, "it never came to be that {expression}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks with the mouse into the middle of an element, which is brought into view.
    pub fn click(&mut self, selector: &str) {
        // The page may scroll by itself until it rests.
        let place = self.evaluate(&format!(
            "(async () => {{
                const frame = () => new Promise(requestAnimationFrame);
                const middle = (it) => {{
                    const box = it.getBoundingClientRect();
                    return [box.x + box.width / 2, box.y + box.height / 2];
                }};
                for (;;) {{
                    const it = document.querySelector({selector:?});
                    it.scrollIntoView({{ block: 'center' }});
                    await frame();
                    const [x, y] = middle(it);
                    await frame();
                    await frame();
                    const [laterX, laterY] = middle(it);
                    if (x === laterX && y === laterY && it.contains(document.elementFromPoint(x, y))) return [x, y];
                }}
            }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Presses a key, by its name: `Tab`, `Enter`, `ArrowDown`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "ArrowLeft" => (37, None),
            "ArrowUp" => (38, None),
            "ArrowRight" => (39, None),
            "ArrowDown" => (40, None),
            "n" => (78, Some("n")),
            _ => panic!("{key} is not known"),
        };
        let mut event = json!({ "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code });
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", event);
        self.call(
            "Input.dispatchKeyEvent",
            json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code }),
        );
    }

    /// Types a text where the keyboard is.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// The size of the window, in pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Checks that nothing went wrong since the page was opened, and that nothing but the page was loaded.
    ///
    /// # Panics
    /// Where it did.
    pub fn assert_quiet(&mut self, page: &Path) {
        // All that happened before is told by now.
        std::thread::sleep(Duration::from_millis(50));
        self.evaluate("0");
        let page = format!("file://{}", page.display());
        for event in &self.events {
            let method = event["method"].as_str().unwrap_or_default();
            let is_problem =
                ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"].contains(&method);
            assert!(!is_problem, "{event}");
            if method == "Network.requestWillBeSent" {
                let address = event["params"]["request"]["url"].as_str().unwrap_or_default();
                assert_eq!(address, page, "nothing else is loaded");
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The browser's program in `PATH`.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let candidates = |name: &'static str| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).collect::<Vec<PathBuf>>()
    };
    NAMES.into_iter().flat_map(candidates).find(|program| program.is_file())
}
