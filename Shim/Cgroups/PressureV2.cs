using System.Globalization;
using ImageStore.Runtime.Protocol.CgroupsV2;

namespace ImageStore.Shim.Cgroups;

/// <summary>How long processes waited for something: lines of <c>some avg10=0.00 avg60=0.00 avg300=0.00 total=0</c>.</summary>
internal static class PressureV2
{
    /// <summary>Reads a file; null where the kernel does not keep it.</summary>
    public static PSIStats? Read(string folder, string name)
    {
        var lines = CgroupFile.Lines(folder, name);
        return lines.Length == 0 ? null : new PSIStats { Some = Data(lines, "some"), Full = Data(lines, "full") };
    }

    private static PSIData? Data(string[] lines, string kind)
    {
        if (lines.Select(line => line.Split(' ')).FirstOrDefault(words => words[0] == kind) is not { } words)
        {
            return null;
        }

        string Of(string name) => words.FirstOrDefault(word => word.StartsWith(name, StringComparison.Ordinal))?[name.Length..] ?? string.Empty;
        return new PSIData { Avg10 = Share(Of("avg10=")), Avg60 = Share(Of("avg60=")), Avg300 = Share(Of("avg300=")), Total = CgroupFile.Parse(Of("total=")) };
    }

    private static double Share(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) ? share : 0;
}
