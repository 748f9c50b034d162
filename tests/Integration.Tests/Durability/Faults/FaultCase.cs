using ImageStore.Integration.Tests.Durability.Courses;

namespace ImageStore.Integration.Tests.Durability.Faults;

/// <summary>One call that fails while a command runs.</summary>
/// <param name="Step">The command.</param>
/// <param name="StepNumber">Which of the course it is.</param>
/// <param name="Call">The call's name.</param>
/// <param name="Path">The path on which it fails, or null for any.</param>
/// <param name="Error">What it fails with.</param>
/// <param name="Number">At which call it does; of each thread, since strace counts so.</param>
internal sealed record FaultCase(RecordedStep Step, int StepNumber, string Call, string? Path, string Error, int Number)
{
    public string Name => $"{StepNumber}:{Call}:{Path}:{Error}:{Number}";

    /// <summary>The message for the number, as the C library has it.</summary>
    public string ErrorText => Error switch
    {
        "ENOSPC" => "No space left on device",
        "EIO" => "Input/output error",
        "EROFS" => "Read-only file system",
        _ => "Too many open files",
    };

    /// <summary>What the site may fail with.</summary>
    public static IReadOnlyList<string> Errors(bool opens) => opens ? ["ENOSPC", "EIO", "EROFS", "EMFILE"] : ["ENOSPC", "EIO", "EROFS"];
}
