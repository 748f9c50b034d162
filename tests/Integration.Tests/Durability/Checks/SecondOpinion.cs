using System.Text.Json;

namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What the program's own check says of a root, to whom nobody told what should be in it.</summary>
internal static class SecondOpinion
{
    /// <summary>What a user brings about who removes blobs.</summary>
    private static readonly HashSet<string> s_byRight = new(StringComparer.OrdinalIgnoreCase) { "imageIncomplete", "referencesMissing" };

    /// <summary>Runs the check.</summary>
    /// <param name="cli">The root.</param>
    /// <param name="removedBlobs">Whether a user has removed blobs from under what refers to them.</param>
    public static async Task<IReadOnlyList<Finding>> OfAsync(StoreCli cli, bool removedBlobs)
    {
        // Nothing was acknowledged yet where even the root is lost; other checks say so if it was.
        if (!Directory.Exists(cli.Root))
        {
            return [];
        }

        var result = await cli.TryAsync(StoreView.Namespaces[0], "fsck", "--quick", "--no-fetch", "--format", "json");
        if (result.ExitCode == 0)
        {
            return [];
        }

        if (result.Output.Length == 0)
        {
            return [new Finding(FindingKind.DamageTold, $"fsck ended with {result.ExitCode}: {result.Error.Trim()}")];
        }

        using var report = JsonDocument.Parse(result.Output);
        return [.. report.RootElement.GetProperty("findings").EnumerateArray()
            .Where(one => one.GetProperty("isDamage").GetBoolean())
            .Where(one => !removedBlobs || !s_byRight.Contains(one.GetProperty("kind").GetString()!))
            .Select(one => new Finding(FindingKind.DamageTold, one.GetRawText().ReplaceLineEndings(" ")))];
    }
}
