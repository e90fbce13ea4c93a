"""A small source tree with every way in which one module can use another."""

from pathlib import Path

import pytest

FILES = {
    "constraints.txt": (
        "# tested together\nnumpy==2.4.6\nopencv-python==5.0.0.93\nheavy-lib==1.0 ; python_version < '3.13'\n"
    ),
    "stages/__init__.py": "",
    "stages/code.py": "from pipeline import base\n",
    "stages/light.py": '"""A stage."""\nfrom pipeline.base import f\n\nf()\n',
    "stages/lazy.py": "def main():\n    from pipeline.room.inner import g\n    return g()\n",
    "stages/registry.py": "from pipeline.registry import load\n",
    "pipeline/__init__.py": '"""The library."""\n',
    "pipeline/base.py": (
        "import json\nfrom typing import TYPE_CHECKING\n\nimport numpy as np\n\n"
        "if TYPE_CHECKING:\n    import cv2\n    from pipeline.unused import Only\n\n\n"
        'def f():\n    """Add."""\n    # one\n    return 1 + np.pi\n'
    ),
    "pipeline/unused.py": "class Only: ...\n",
    "pipeline/room/__init__.py": "ROOM = 1\n",
    "pipeline/room/inner.py": "import cv2\n\ndef g():\n    return cv2\n",
    "pipeline/room/page.html.j2": "<html></html>\n",
    "pipeline/room/parts/style.css": "p {}\n",
    "pipeline/room/__pycache__/inner.pyc": "bytes",
    "pipeline/registry.py": (
        '"""Entries such as pipeline.unused are loaded when they are asked for."""\nimport importlib\n\n'
        'ENTRIES = {"other": "pipeline.plugins.other:Other"}\n\n'
        "def load(name):\n    return importlib.import_module(ENTRIES[name].partition(':')[0])\n"
    ),
    "pipeline/plugins/__init__.py": "",
    "pipeline/plugins/other.py": 'import importlib\n\n\nclass Other:\n    lib = importlib.import_module("heavy_lib")\n',
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path
