using System.Text;

namespace ImageStore.Runtime.Mounts;

/// <summary>What is mounted, as <c>/proc/self/mountinfo</c> tells.</summary>
internal static class MountInfo
{
    private const int TargetField = 4;

    /// <summary>Where something is mounted at a path or below it, the latest first.</summary>
    public static List<string> Below(string path) => Below(path, File.ReadLines("/proc/self/mountinfo"));

    internal static List<string> Below(string path, IEnumerable<string> lines)
    {
        var found = new List<string>();
        foreach (var line in lines)
        {
            if (line.Split(' ') is { Length: > TargetField } fields && Unescaped(fields[TargetField]) is var target
                && (target == path || target.StartsWith(path + "/", StringComparison.Ordinal)))
            {
                found.Add(target);
            }
        }

        found.Reverse();
        return found;
    }

    /// <summary>A field as it is: spaces and the like are a backslash and three octal digits.</summary>
    internal static string Unescaped(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }

        var bytes = new List<byte>(text.Length);
        var raw = Encoding.UTF8.GetBytes(text);
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\\' && i + 3 < raw.Length)
            {
                bytes.Add((byte)(((raw[i + 1] - '0') << 6) | ((raw[i + 2] - '0') << 3) | (raw[i + 3] - '0')));
                i += 3;
            }
            else
            {
                bytes.Add(raw[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
