"""The packages of the distribution; pyproject.toml has everything else.

`configs` and `weights` lie at the top level of the repository, and inside of the package once it is
installed. The tables of pyproject.toml cannot rename the folders that they find.
"""

from setuptools import find_packages, setup

FOLDERS = {"followme_uav.configs": "configs", "followme_uav.weights": "weights"}

setup(packages=[*find_packages(include=["followme_uav*"]), *FOLDERS], package_dir=FOLDERS)
