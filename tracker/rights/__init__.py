# SPDX-License-Identifier: Apache-2.0
"""A person's rights and the operator's duties: export, erase, backup, restore.

Each function takes what it works on as an argument; the commands and the dashboard open it. Every
one leaves a line in the audit.
"""
