using System.Globalization;
using System.Text;

namespace ImageStore.Integration.Tests.Support;

/// <summary>A file tree as text: one line a file with everything that an image can say of it.</summary>
internal static class TreeListing
{
    /// <summary>Type, mode, owner, time in nanoseconds, size, target, device, link group, content and xattrs of each path, sorted.</summary>
    public static async Task<SortedDictionary<string, string>> OfAsync(string root)
    {
        var found = await Run.AsyncOk(
            "find", root, "-printf", @"%P\t%y\t%m\t%U:%G\t%T@\t%s\t%l\t%n\t%D:%i\0");
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        List<(string Path, string[] Fields)> rows =
            [.. found.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('\t')).Select(f => (f[0], f))];
        foreach (var (path, fields) in rows.OrderBy(row => row.Path, StringComparer.Ordinal))
        {
            // A directory's own size says nothing of the image; inode numbers, within a filesystem, only say who is linked to whom.
            var size = fields[1] == "d" ? "-" : fields[5];
            var links = fields[1] == "d" ? "-" : groups.TryGetValue(fields[8], out var first) ? first : groups[fields[8]] = path;
            result[path] = string.Join(' ', fields[1], fields[2], fields[3], Time(fields[4]), size, fields[6], links);
        }

        await AddAsync(result, root, "getfattr", "-R", "-h", "-d", "-m", "-", "-e", "hex", "--absolute-names", root);
        await AddHashesAsync(result, root);
        return result;
    }

    /// <summary>The differences, at most fifty, for a message that a person reads.</summary>
    public static string Difference(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
    {
        var lines = new StringBuilder();
        var keys = expected.Keys.Union(actual.Keys, StringComparer.Ordinal)
            .Where(key => expected.GetValueOrDefault(key) != actual.GetValueOrDefault(key));
        foreach (var key in keys.Take(50))
        {
            lines.AppendLine(
                CultureInfo.InvariantCulture,
                $"'{key}'\n  expected {expected.GetValueOrDefault(key, "nothing")}\n  actual   {actual.GetValueOrDefault(key, "nothing")}");
        }

        return lines.ToString();
    }

    private static string Time(string seconds) => seconds.TrimEnd('0').TrimEnd('.');

    private static async Task AddHashesAsync(SortedDictionary<string, string> rows, string root)
    {
        var hashes = await Run.AsyncOk("find", root, "-type", "f", "-exec", "sha256sum", "-z", "{}", "+");
        foreach (var line in hashes.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            rows[Path.GetRelativePath(root, line[66..])] += " " + line[..64];
        }

        var devices = await Run.AsyncOk(
            "find", root, "(", "-type", "c", "-o", "-type", "b", ")", "-exec", "stat", "--printf", @"%n\t%t:%T\0", "{}", "+");
        foreach (var line in devices.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split('\t');
            rows[Path.GetRelativePath(root, fields[0])] += " " + fields[1];
        }
    }

    private static async Task AddAsync(SortedDictionary<string, string> rows, string root, string program, params string[] arguments)
    {
        var text = await Run.AsyncOk(program, arguments);
        foreach (var block in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            var path = Path.GetRelativePath(root, lines[0]["# file: ".Length..]);
            var key = path == "." ? string.Empty : path;
            if (rows.TryGetValue(key, out var row))
            {
                // What overlayfs keeps for itself is no part of the image.
                var own = lines.Skip(1).Where(line => !line.StartsWith("trusted.overlay.", StringComparison.Ordinal));
                rows[key] = string.Join(' ', own.Order(StringComparer.Ordinal).Prepend(row));
            }
        }
    }
}
