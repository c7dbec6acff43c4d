"""An operating system's kernel in small: tasks, packets and queues."""

import sys
from collections import deque

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
WORK_PACKET, DEVICE_PACKET = range(2)


class Packet:
    def __init__(self, kind, owner):
        self.kind = kind
        self.owner = owner
        self.datum = 0
        self.data = [0] * 4


class Task:
    def __init__(self, kernel, identity, priority):
        self.kernel = kernel
        self.identity = identity
        self.priority = priority
        self.inbox = deque()
        self.held = False
        self.waiting = False

    def ready(self):
        return not self.held and (bool(self.inbox) or not self.waiting)

    def receive(self):
        return self.inbox.popleft() if self.inbox else None

    def wait(self):
        self.waiting = True

    def run(self, packet):
        raise NotImplementedError


class IdleTask(Task):
    """Lets the devices go in an order that looks random."""

    def __init__(self, kernel, turns):
        super().__init__(kernel, IDLE, 0)
        self.turns = turns
        self.control = 1

    def run(self, packet):
        self.turns -= 1
        if self.turns < 0:
            self.held = True
            return
        if self.control & 1:
            self.control = (self.control >> 1) ^ 0xD008
            self.kernel.release(DEVICE_B)
        else:
            self.control >>= 1
            self.kernel.release(DEVICE_A)


class WorkerTask(Task):
    """Fills work packets and hands them to the handlers in turn."""

    def __init__(self, kernel):
        super().__init__(kernel, WORKER, 1000)
        self.target = HANDLER_A
        self.letter = 0

    def run(self, packet):
        if packet is None:
            self.wait()
            return
        self.target = HANDLER_B if self.target == HANDLER_A else HANDLER_A
        packet.datum = 0
        for i in range(len(packet.data)):
            self.letter = self.letter % 26 + 1
            packet.data[i] = 64 + self.letter
        self.kernel.send(packet, self.target, self.identity)


class HandlerTask(Task):
    """Passes the letters of work packets to its device, one at a time."""

    def __init__(self, kernel, identity, priority, device):
        super().__init__(kernel, identity, priority)
        self.device = device
        self.work = deque()
        self.free = deque()

    def run(self, packet):
        if packet is not None:
            if packet.kind == WORK_PACKET:
                self.work.append(packet)
            else:
                self.free.append(packet)
        if self.work:
            work = self.work[0]
            if work.datum >= len(work.data):
                self.work.popleft()
                self.kernel.send(work, WORKER, self.identity)
                return
            if self.free:
                device = self.free.popleft()
                device.datum = work.data[work.datum]
                work.datum += 1
                self.kernel.send(device, self.device, self.identity)
                return
        self.wait()


class DeviceTask(Task):
    """Keeps a packet until the idle task releases it."""

    def __init__(self, kernel, identity, priority):
        super().__init__(kernel, identity, priority)
        self.pending = None
        self.written = 0

    def run(self, packet):
        if packet is not None:
            self.pending = packet
            self.held = True
        elif self.pending is not None:
            done, self.pending = self.pending, None
            self.written = (self.written * 31 + done.datum) % 1000003
            self.kernel.send(done, done.owner, self.identity)
        else:
            self.wait()


class Kernel:
    def __init__(self, turns):
        self.sent = 0
        self.held = 0
        tasks = [
            IdleTask(self, turns),
            WorkerTask(self),
            HandlerTask(self, HANDLER_A, 2000, DEVICE_A),
            HandlerTask(self, HANDLER_B, 3000, DEVICE_B),
            DeviceTask(self, DEVICE_A, 4000),
            DeviceTask(self, DEVICE_B, 5000),
        ]
        self.tasks = {task.identity: task for task in tasks}
        self.order = sorted(tasks, key=lambda task: -task.priority)
        for _ in range(2):
            tasks[WORKER].inbox.append(Packet(WORK_PACKET, WORKER))
        for handler in (HANDLER_A, HANDLER_B):
            for _ in range(3):
                self.tasks[handler].inbox.append(Packet(DEVICE_PACKET, handler))

    def send(self, packet, target, sender):
        task = self.tasks[target]
        task.inbox.append(packet)
        task.waiting = False
        self.sent += 1

    def release(self, identity):
        task = self.tasks[identity]
        if task.held:
            self.held += 1
            task.held = False
        task.waiting = False

    def step(self):
        for task in self.order:
            if task.ready():
                # A device that was let go finishes before it takes more.
                if isinstance(task, DeviceTask) and task.pending is not None:
                    task.run(None)
                else:
                    task.run(task.receive())
                return True
        return False


def main():
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 220000
    kernel = Kernel(turns)
    steps = 0
    while kernel.step():
        steps += 1
    print("steps %d, packets sent %d, releases %d" % (steps, kernel.sent, kernel.held))
    print("written", kernel.tasks[DEVICE_A].written, kernel.tasks[DEVICE_B].written)


if __name__ == "__main__":
    main()
