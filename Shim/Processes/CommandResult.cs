namespace ImageStore.Shim.Processes;

/// <summary>What a program left.</summary>
/// <param name="Code">Its exit code, or 128 and the signal that ended it.</param>
/// <param name="Output">What it wrote, up to a limit; empty where its output went elsewhere.</param>
internal readonly record struct CommandResult(int Code, string Output);
