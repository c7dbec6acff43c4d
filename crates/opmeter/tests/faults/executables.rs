//! Programs that a metered one executes, which the agent can't be loaded into, run as without it.

use crate::both::{both, metered, recording};
use crate::interpreters::{any, one_of_each_version};

/// Makes `bin/printenv`, which prints a variable, for a loader that is not the GNU C library's, by its name; and a
/// script for it. Prints what these are told to preload, executed in each way.
const FOREIGN: &str = "
import os, shutil, struct, subprocess, sys
image = bytearray(open(shutil.which('printenv'), 'rb').read())
table, count = struct.unpack_from('<Q', image, 32)[0], struct.unpack_from('<H', image, 56)[0]
headers = [at for at in range(table, table + 56 * count, 56) if image[at] == 3]
if not headers:
    sys.exit('printenv has no loader')
offset, = struct.unpack_from('<Q', image, headers[0] + 8)
os.symlink(image[offset:image.index(0, offset)].decode(), 'ld-musl-x86_64.so.1')
loader = os.path.abspath('ld-musl-x86_64.so.1').encode() + b'\\0'
struct.pack_into('<Q', image, headers[0] + 8, len(image))
struct.pack_into('<QQ', image, headers[0] + 32, len(loader), len(loader))
os.mkdir('bin')
script = '#!%s LD_PRELOAD\\n' % os.path.abspath('bin/printenv')
for name, content in ('bin/printenv', image + loader), ('bin/script', script.encode()):
    with open(name, 'wb') as file: file.write(content)
    os.chmod(name, 0o755)
if sys.argv[1:] == ['usual']:
    os.remove('bin/printenv')
    os.symlink(shutil.which('printenv'), 'bin/printenv')
os.environ['PATH'] = os.path.abspath('bin') + ':' + os.environ['PATH']
def spawned(function, name, environment):
    read, write = os.pipe()
    pid = function(name, [name, 'LD_PRELOAD'], environment, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.waitpid(pid, 0)
    os.close(write)
    return open(read, 'rb').read()
def executed(function, *arguments):
    read, write = os.pipe()
    if os.fork() == 0:
        os.dup2(write, 1)
        function(*arguments)
    os.wait()
    os.close(write)
    return open(read, 'rb').read()
def started(command, **how):
    return subprocess.run(command, stdout=subprocess.PIPE, **how).stdout
show = ['bin/printenv', 'LD_PRELOAD']
for printed in (
    started(show),
    started(show, env={'A': '1'}),
    started(show, preexec_fn=int),
    started(show, env={'LD_PRELOAD': 'libc.so.6'}),
    started(['bin/script']),
    started('bin/printenv LD_PRELOAD', shell=True),
    started('printenv LD_PRELOAD', shell=True),
    spawned(os.posix_spawn, 'bin/printenv', os.environ),
    spawned(os.posix_spawnp, 'printenv', {}),
    executed(os.execv, 'bin/printenv', show),
    executed(os.execvp, 'printenv', show),
    executed(os.execve, os.open('bin/printenv', os.O_RDONLY), show, {}),
):
    print(printed.decode().split())
";

#[test]
fn programs_for_another_loader_are_not_told_to_load_the_agent() {
    for interpreter in one_of_each_version() {
        let (_folder, output) = both(interpreter, FOREIGN, "$RUN -I program.py");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.lines().filter(|line| *line == "[]").count(), 11, "{printed}");
    }
    // The same program under its usual loader is.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("program.py"), FOREIGN).unwrap();
    let output = metered(any(), folder.path(), "$RUN -I program.py usual");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().filter(|line| line.contains("agent")).count(), 12, "{printed}");
}

#[test]
fn an_agent_that_cannot_be_read_is_not_asked_for() {
    // First by another user, where that can be played; then by nobody.
    let program = "
import os, shutil, subprocess, sys
def child(through=(), **how):
    ended = subprocess.run([*through, 'env', 'true'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    print(ended.returncode, ended.stdout, ended.stderr)
if os.geteuid() == 0:
    child(preexec_fn=lambda: os.setuid(65534))
    child(preexec_fn=lambda: os.setuid(65534), env={})
    if shutil.which('setpriv'):
        child(('setpriv', '--reuid=65534', '--clear-groups'))
for library in os.environ.get('LD_PRELOAD', '').split(':'):
    if library: os.remove(library)
child()
child(env={})
";
    for interpreter in one_of_each_version() {
        let (_folder, output) =
            both(interpreter, program, "export OPMETER_CACHE=$PWD/cache; $RUN -I program.py");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.lines().all(|line| line == "0 b'' b''"), "{printed}");
    }
}

#[test]
fn a_sanitizers_runtime_stays_first() {
    // There is none of this name: the loader says so, and goes on.
    let program = "
import os, subprocess, sys
show = 'import os; print(os.environ[\"LD_PRELOAD\"])'
exec(show)
sys.stdout.flush()
subprocess.check_call([sys.executable, '-c', show])
subprocess.check_call([sys.executable, '-c', show], env={'LD_PRELOAD': 'libasan.so.99'})
";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("program.py"), program).unwrap();
    let output = metered(any(), folder.path(), "export LD_PRELOAD=libasan.so.99; $RUN -I program.py");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert!(printed.lines().all(|line| line.starts_with("libasan.so.99:/")), "{printed}");
    assert_eq!(recording(folder.path()).manifest.processes.len(), 3);
}

#[test]
fn programs_that_are_started_leave_no_memory_behind() {
    let program = "
import os, subprocess
def pages():
    return int(open('/proc/self/statm').read().split()[0])
def spawn():
    os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)
def run():
    subprocess.check_call(['/bin/true'], env={})
def fail():
    try: os.execve('/nonexistent', ['x'], {})
    except OSError: pass
for function in spawn, run, fail:
    for i in range(5): function()
    before = pages()
    for i in range(200): function()
    print(pages() - before < 100)
";
    for interpreter in one_of_each_version() {
        let (_folder, output) = both(interpreter, program, "$RUN -I program.py");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "True\n".repeat(3));
    }
}

/// A program may bring an unwinder of its own, which one that is there already would stand before.
#[test]
fn the_agent_brings_no_unwinder() {
    let program = "print({line.split()[-1] for line in open('/proc/self/maps') if 'libgcc' in line})";
    for interpreter in one_of_each_version() {
        both(interpreter, program, "$RUN -I program.py");
    }
}
