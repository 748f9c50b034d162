namespace ImageStore.Cli.Output;

/// <summary>Columns as wide as their widest cell, two spaces apart; the same on a terminal and in a pipe.</summary>
internal static class Table
{
    public static void Write(TextWriter output, IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        List<IReadOnlyList<string>> all = [head, .. rows];
        var widths = Enumerable.Range(0, head.Count).Select(i => all.Max(row => row[i].Length)).ToArray();
        foreach (var row in all)
        {
            var line = string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i])));
            output.WriteLine(line.TrimEnd());
        }
    }
}
