# SPDX-License-Identifier: Apache-2.0
"""Bytes to packets and back; knows no radio, no database, no clock."""
