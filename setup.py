"""The one thing pyproject.toml cannot say: the released models live in models/, and a wheel carries them inside ocrkit."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ocrkit", "ocrkit.*"]), "ocrkit.released"],
    package_dir={"ocrkit.released": "models/released"},
    package_data={"ocrkit": ["py.typed"], "ocrkit.released": ["**/*"]},
)
