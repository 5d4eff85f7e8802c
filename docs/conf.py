"""The site's build: ``make docs``. What Sphinx lacks is in ``docs/extensions``."""

import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import alto  # noqa: E402
from docs.extensions.sources import linkcode_resolve  # noqa: E402, F401

project = "alto-optim"
author = "The alto-optim authors"
version = release = alto.__version__

extensions = [
    "myst_nb",  # Markdown, and notebooks
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "docs.extensions.blocks",
    "docs.extensions.ledger_page",
    "docs.extensions.stored",
    "docs.extensions.plain_docstrings",
    "docs.extensions.sources",
    "docs.extensions.links",
]
exclude_patterns = ["_build", "extensions", "gallery", "pictures/*.ipynb"]
nitpicky = True
# Types of other packages (the site is built offline, without inventories), private classes and aliases in signatures.
nitpick_ignore_regex = [
    ("py:.*", r"(?!alto|theory|experiments).*"),
    ("py:.*", r".*\._\w+(\.\w+)?"),
    # Type variables.
    ("py:.*", r".*\.(Number|Make|Kind_co|T)"),
    # Parts of subpackages whose page shows their public names alone.
    ("py:.*", r"theory\.(conform\.(subject\.Subject|case\.Case)|stability\.family\.Same)"),
    ("py:.*", r"theory\.rates\.measured\.(NAMES|Theory)"),
    ("py:.*", r"theory\.(watch|objectives\.names|ledger\.provenance\.record|figures\.own)"),
]
suppress_warnings = ["ref.python"]  # three subpackages have a Check of their own, and name it as their neighbours do

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3
# Notebooks are committed without output, and run at each build.
nb_execution_mode, nb_execution_timeout, nb_execution_raise_on_error = "force", 120, True
nb_merge_streams = True
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"alto-optim {release}"
# One file of MathJax, from a Python package: formulas are drawn as SVG, so no fonts are needed, nor a network.
MATHJAX = "sphinx-mathjax-offline/static/mathjax/tex-svg.js"
html_static_path = ["_static", str(distribution("sphinx-mathjax-offline").locate_file(MATHJAX))]
html_css_files = ["site.css"]
html_js_files = ["filter.js"]
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5f80", "color-brand-content": "#0b5f80"},
    "dark_css_variables": {"color-brand-primary": "#6cc5ea", "color-brand-content": "#6cc5ea"},
}
pygments_style, pygments_dark_style = "tango", "github-dark"

mathjax_path = "tex-svg.js"
# Nothing is loaded on demand, and an unknown macro is an error that the test of the pages sees, not red text.
mathjax3_config = {
    "tex": {"packages": {"[-]": ["noundefined", "autoload", "require"]}},
    "options": {"enableMenu": False},
    "svg": {"scale": 0.92},  # its letters are larger than the text's
}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "pictures",
    "filename_pattern": "/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "show_memory": False,
    "write_computation_times": False,  # its page loads jQuery from elsewhere
    "nested_sections": False,
    "copyfile_regex": r"nothing",
}
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .output"
