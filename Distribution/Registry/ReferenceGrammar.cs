using System.Buffers;
using System.Globalization;

namespace ImageStore.Distribution.Registry;

/// <summary>The character rules of image names.</summary>
/// <remarks><see href="https://github.com/distribution/reference/blob/main/reference.go">distribution/reference, grammar</see>.</remarks>
internal static class ReferenceGrammar
{
    private const int MaxNameLength = 255;
    private const int MaxTagLength = 128;
    private const int MaxPort = 65535;
    private static readonly SearchValues<char> s_tag =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    public static bool IsTag(ReadOnlySpan<char> tag) =>
        tag.Length is > 0 and <= MaxTagLength && !tag.ContainsAnyExcept(s_tag) && tag[0] is not ('.' or '-');

    /// <summary>What is wrong with the name, or null.</summary>
    public static string? Complaint(string registry, string repository)
    {
        if (repository.Length == 0 || repository == "library/")
        {
            return "it names no repository";
        }

        if (registry.Length + 1 + repository.Length > MaxNameLength)
        {
            return $"it is longer than {MaxNameLength} characters";
        }

        if (!IsHost(registry))
        {
            return "its registry is not a host name with an optional port";
        }

        if (repository.AsSpan().IndexOfAnyInRange('A', 'Z') >= 0)
        {
            return "a repository's name has no upper-case letters";
        }

        foreach (var component in repository.Split('/'))
        {
            if (!IsComponent(component))
            {
                return "each part of a repository's name is lower-case letters and digits, "
                    + "with single '.', '_', '__' or '-' between them";
            }
        }

        return null;
    }

    private static bool IsComponent(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !IsLowerOrDigit(text[0]) || !IsLowerOrDigit(text[^1]))
        {
            return false;
        }

        for (var i = 1; i < text.Length; i++)
        {
            if (IsLowerOrDigit(text[i]))
            {
                continue;
            }

            var start = i;
            while (text[i + 1] == text[start])
            {
                i++;
            }

            var length = i - start + 1;
            var allowed = text[start] switch { '.' => 1, '_' => 2, '-' => int.MaxValue, _ => 0 };
            if (length > allowed || !IsLowerOrDigit(text[i + 1]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHost(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        if (host.StartsWith("["))
        {
            var end = host.IndexOf(']');
            return end > 1
                && System.Net.IPAddress.TryParse(host[1..end], out _)
                && (end + 1 == host.Length || (host[end + 1] == ':' && IsPort(host[(end + 2)..])));
        }

        if (colon >= 0)
        {
            if (!IsPort(host[(colon + 1)..]))
            {
                return false;
            }

            host = host[..colon];
        }

        foreach (var range in host.Split('.'))
        {
            var label = host[range];
            if (label.IsEmpty || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool IsPort(ReadOnlySpan<char> port) =>
        int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= MaxPort;

    private static bool IsLowerOrDigit(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
}
