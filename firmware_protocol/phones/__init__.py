# SPDX-License-Identifier: Apache-2.0
"""Phones: JSON that apps and our own page send, one file per format.

Each module defines `open_session(...)`, which returns a :class:`~._common.PhoneSession`: JSON
bytes in, packets out, with the phone's own sample times. No HTTP here; `tracker/collect` has that.
"""
