"""Programs that stand in for servers outside: with their semantics, faults on demand, a memory."""
