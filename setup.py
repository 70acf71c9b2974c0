"""What pyproject.toml cannot say: released models live in models/released, and a wheel carries them inside ocrkit."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ocrkit", "ocrkit.*"]), "ocrkit.released"],
    package_dir={"ocrkit.released": "models/released"},
    package_data={"": ["**/*"]},
    exclude_package_data={"": ["*.pyc"]},
)
