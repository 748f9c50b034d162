using System.Text.RegularExpressions;
using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Support;

namespace ImageStore.Integration.Tests.Durability.Faults;

/// <summary>Whether a command that failed says so as users may expect it.</summary>
internal static partial class ErrorCheck
{
    private const int FirstKnown = 2;
    private const int LastKnown = 13;
    private const int NoSpace = 10;

    /// <summary>An exit code that means something, and a first line that names what failed and why.</summary>
    public static IEnumerable<Finding> Of(Run.Result result, FaultCase fault)
    {
        if (result.ExitCode == 0)
        {
            yield break;
        }

        var text = result.Error.Trim();
        if (result.ExitCode is < FirstKnown or > LastKnown)
        {
            yield return new Finding(FindingKind.BadError, $"ended with {result.ExitCode}: {text}");
        }
        else if (!First().IsMatch(text) || Stack().IsMatch(text) || text.Contains("unexpected", StringComparison.OrdinalIgnoreCase))
        {
            yield return new Finding(FindingKind.BadError, $"says: {text}");
        }
        else if (!text.Split('\n')[0].Contains(fault.ErrorText, StringComparison.OrdinalIgnoreCase))
        {
            yield return new Finding(FindingKind.BadError, $"does not say why: {text}");
        }
        else if ((result.ExitCode == NoSpace) != (fault.Error == "ENOSPC"))
        {
            yield return new Finding(FindingKind.BadError, $"ended with {result.ExitCode} over {fault.Error}: {text}");
        }
    }

    [GeneratedRegex(@"\Aimagestore: \S")]
    private static partial Regex First();

    [GeneratedRegex(@"^\s+at \w", RegexOptions.Multiline)]
    private static partial Regex Stack();
}
