# SPDX-License-Identifier: Apache-2.0
"""`python -m tracker` is `backstay`."""

from tracker.cli import main

main()
