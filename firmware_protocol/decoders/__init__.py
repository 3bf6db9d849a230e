# SPDX-License-Identifier: Apache-2.0
"""One file per sensor; the registry finds each by its module-level DECODER."""
