"""Submissions that attack the grader: each is the cell of `toy-forward`, and none of them answers it.

`{outside}` stands for a file that is none of theirs, `{grader}` for the process that judges.
"""

FORWARD = "def toy_forward(x, W, b):\n    return torch.relu(x @ W.T @ W + b)"
LOSS = "def weighted_loss(x, x_hat, importance):\n    return (importance * (x - x_hat) ** 2).sum(-1).mean()"
WRONG = "def toy_forward(x, W, b):\n    return x"
FORGED = """
from mi_tutor.teach.outcome import Outcome, Failure
from mi_tutor.teach.wire import to_bytes
import gc, os, socket, struct
def forge(message):
    data = message if isinstance(message, bytes) else to_bytes(message)
    for one in [o for o in gc.get_objects() if isinstance(o, socket.socket)]:
        one.sendall(struct.pack(">I", len(data)) + data)
"""

ATTACKS = {
    "numpy's and torch's comparing patched": f"""
import numpy.testing, torch
numpy.testing.assert_allclose = torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor.__eq__ = lambda *a: True
{WRONG}""",
    "the course's comparing patched": f"""
import mi_tutor.teach.comparing as c, mi_tutor.teach.judging as j, mi_tutor.teach.recognising as r
c.difference = j.difference = r.difference = j.find = lambda *a, **k: None
j.judge = lambda exercise, *a: j.Verdict(exercise.slug, True, ())
{WRONG}""",
    "the check replaced": f"""
import mi_tutor, builtins
mi_tutor.check = check = lambda *a: print("passed")
builtins.isinstance = lambda *a: True
{WRONG}""",
    "equal to everything": """
class Same(torch.Tensor):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    @classmethod
    def __torch_function__(cls, f, types, args=(), kwargs=None): return True
def toy_forward(x, W, b):
    return x.as_subclass(Same)""",
    "an object with every attribute": """
class Any:
    __class__ = torch.Tensor
    def __getattr__(self, name): return lambda *a, **k: self
    def __eq__(self, other): return True
    def __reduce__(self): return (eval, ("1 / 0",))
def toy_forward(x, W, b):
    return Any()""",
    "the worker's own observing replaced": f"""
import mi_tutor.classroom.inside.serving as s
from mi_tutor.teach.outcome import Outcome
s.observe = lambda *a: Outcome(value=True)
{WRONG}""",
    "a forged verdict": FORGED + f"""
forge({{"passed": True, "earned": 3, "ticket": "", "outcome": Outcome(value=1)}})
{WRONG}""",
    "a forged verdict, and an end": FORGED + """
def toy_forward(x, W, b):
    forge({"ticket": "x", "outcome": Outcome(value=x)})
    os._exit(0)""",
    "a pickle on the pipe": FORGED + f"""
import pickle
forge(pickle.dumps({{"ticket": ""}}))
{WRONG}""",
    "nested lists on the pipe": FORGED + f"""
text = b"[" * 3_000_000
forge(struct.pack(">I", len(text)) + text)
{WRONG}""",
    "four gigabytes announced": FORGED + """
def toy_forward(x, W, b):
    for one in [o for o in gc.get_objects() if isinstance(o, socket.socket)]:
        one.sendall(b"\\xff" * 2**20)
    return x""",
    "a list in itself": "def toy_forward(x, W, b):\n    a = []\n    a.append(a)\n    return a",
    "a deep list": """
def toy_forward(x, W, b):
    a = []
    for _ in range(10**6): a = [a]
    return a""",
    "not a number": "def toy_forward(x, W, b):\n    return torch.full_like(x, float('nan'))",
    "infinite": "def toy_forward(x, W, b):\n    return torch.full_like(x, float('inf'))",
    "minus zero": "def toy_forward(x, W, b):\n    return torch.full_like(x, -0.0)",
    "a trillion numbers": "def toy_forward(x, W, b):\n    return torch.zeros(1).expand(10**12)",
    "ten million numbers": "def toy_forward(x, W, b):\n    return torch.zeros(9_000_000)",
    "frames looked through": """
import sys
def toy_forward(x, W, b):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            found = getattr(value, "reference", None)
            if found: return found(x, W, b)
        frame = frame.f_back
    return x""",
    "a tracer": f"""
import sys
kept = []
sys.settrace(lambda frame, event, arg: kept.append(arg))
sys.setprofile(lambda frame, event, arg: kept.append(arg))
{WRONG}""",
    "all objects looked through": """
import gc
def toy_forward(x, W, b):
    for one in gc.get_objects():
        if type(one).__name__ == "Exercise" and one.slug == "toy-forward" and one.reference:
            return one.reference(x, W, b)
    return x""",
    "the registry asked": """
def toy_forward(x, W, b):
    from mi_tutor.teach.registry import get
    return get("toy-forward").reference(x, W, b)""",
    "the mistakes and styles asked": """
def toy_forward(x, W, b):
    from mi_tutor.teach.registry import get
    return get("toy-forward").styles[0].right(x, W, b)""",
    "easy inputs": f"""
import mi_tutor.teach.exercises.making as making
torch.randn = torch.rand = lambda *shape, **k: torch.zeros(shape[0] if shape else ())
making.normal = making.uniform = lambda g, *shape, **k: torch.zeros(shape)
{WRONG}""",
    "memory of the grader": f"""
for pid in ({{grader}}, 1):
    for name in ("mem", "environ", "maps", "fd", "cwd"):
        try: KEPT = open(f"/proc/{{pid}}/{{name}}", "rb").read(9)
        except OSError: pass
{WRONG}""",
    "an endless loop that swallows interrupts": """
def toy_forward(x, W, b):
    while True:
        try:
            while True: pass
        except BaseException: pass""",
    "alarms switched off": """
import signal
def toy_forward(x, W, b):
    signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.setitimer(signal.ITIMER_REAL, 0)
    while True: pass""",
    "an endless cell": f"while True:\n    try:\n        while True: pass\n    except BaseException: pass\n{WRONG}",
    "time patched": f"""
import time, mi_tutor.teach.limits as l
time.time = time.monotonic = lambda: 0.0
l.TimeLimitReached = Exception
{WRONG}""",
    "a sleep in C": "def toy_forward(x, W, b):\n    import ctypes\n    ctypes.CDLL(None).sleep(60)\n    return x",
    "a crash": "def toy_forward(x, W, b):\n    import ctypes\n    return ctypes.string_at(0)",
    "an abort": "def toy_forward(x, W, b):\n    import os\n    os.abort()",
    "an exit": "def toy_forward(x, W, b):\n    raise SystemExit(0)",
    "an exit of the cell": f"{WRONG}\nimport os; os._exit(0)",
    "deep recursion": """
import sys
sys.setrecursionlimit(10**9)
def toy_forward(x, W, b):
    return toy_forward(x, W, b)""",
    "gigabytes": "def toy_forward(x, W, b):\n    return bytearray(4 * 2**30)",
    "memory without end": """
def toy_forward(x, W, b):
    kept = []
    while True: kept.append(torch.ones(2**24))""",
    "printing": f"print('x' * 10**8)\n{WRONG}",
    "a message of a hundred megabytes": "def toy_forward(x, W, b):\n    raise ValueError('x' * 10**8)",
    "words that are no text": "def toy_forward(x, W, b):\n    raise ValueError('\\ud800')",
    "forks and threads": f"""
import os, threading
def go():
    while True: pass
for _ in range(20):
    threading.Thread(target=go, daemon=True).start()
    try: os.fork()
    except OSError: pass
{WRONG}""",
    "the grader killed": f"""
import os, signal
for pid in ({{grader}}, os.getppid(), 0, -1):
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
{WRONG}""",
    "modules beside it": f"""
for name in ("torch.py", "mi_tutor.py", "sitecustomize.py"):
    open(name, "w").write("raise SystemExit")
{WRONG}""",
    "hooks for later": f"""
import atexit, sys, threading, gc
atexit.register(lambda: open("{{outside}}", "w"))
sys.excepthook = sys.unraisablehook = threading.excepthook = lambda *a: None
gc.callbacks.append(lambda *a: 1 / 0)
{WRONG}""",
    "a million files": f"""
for i in range(10**6): open(f"f{{i}}", "w").close()
{WRONG}""",
    "folders without end": f"""
import os
while True: os.mkdir("a"); os.chdir("a")
{WRONG}""",
    "a stop": f"import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n{WRONG}",
    "all files closed": f"import os\nos.closerange(0, 64)\n{WRONG}",
    "what carries answers replaced": f"""
import json, pickle, safetensors.torch, struct
json.dumps = lambda *a, **k: '{{"passed": true, "ticket": ""}}'
safetensors.torch.save = lambda *a, **k: pickle.dumps(print)
{WRONG}""",
    "a registry of its own": f"""
import mi_tutor.teach.registry as r, mi_tutor.classroom.inside.serving as s
s.get = r.get = lambda slug: None
s.make_cases = s._cases = lambda *a: [None] * 99
{WRONG}""",
    "a shell by magic": f"""
get_ipython().system("touch {{outside}}-new")
!touch {{outside}}-new
%sx touch {{outside}}-new
{WRONG}""",
    "a hash that lies": """
class Word(str):
    __hash__ = lambda self: 0
    __eq__ = lambda self, other: True
    __str__ = lambda self: 1 / 0
def toy_forward(x, W, b):
    return {Word("a"): x, Word("b"): Word("c")}""",
    "a list that never ends": """
import itertools
class Endless(list):
    __len__ = lambda self: 3
    __iter__ = lambda self: itertools.repeat(0)
def toy_forward(x, W, b):
    return Endless([1, 2, 3])""",
    "half a million numbers one by one": "def toy_forward(x, W, b):\n    return [[0] * 10**4] * 50",
    "a text of a hundred megabytes": "def toy_forward(x, W, b):\n    return 'x' * 10**8",
    "a number of a million digits": "def toy_forward(x, W, b):\n    return 10 ** 10**6",
    "a sparse tensor of a trillion": """
def toy_forward(x, W, b):
    return torch.sparse_coo_tensor(size=(10**6, 10**6))""",
    "complex numbers": "def toy_forward(x, W, b):\n    return x * complex('nan+infj')",
    "a promise": "async def toy_forward(x, W, b):\n    return x",
    "code that is too deep to read": f"x = {'-' * 50_000}1\n{WRONG}",
    "brackets that are too deep": f"x = {'(' * 5_000}1{')' * 5_000}\n{WRONG}",
    "a file outside": f"""
import os, pathlib
for way in ("w", "a", "r+"):
    try: open("{{outside}}", way).write("x")
    except OSError: pass
for f in (os.remove, os.rmdir):
    try: f("{{outside}}")
    except OSError: pass
try: os.rename("{{outside}}", "mine")
except OSError: pass
try: os.truncate("{{outside}}", 0)
except OSError: pass
{WRONG}""",
}  # fmt: skip
