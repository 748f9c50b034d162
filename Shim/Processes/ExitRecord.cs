namespace ImageStore.Shim.Processes;

/// <summary>The end of a process.</summary>
/// <param name="Pid">Which.</param>
/// <param name="Code">Its exit code, or 128 and the signal that ended it.</param>
/// <param name="At">When the shim learned of it.</param>
internal readonly record struct ExitRecord(int Pid, int Code, DateTimeOffset At);
