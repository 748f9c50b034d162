namespace ImageStore.Daemon.Filters;

/// <summary>What the lookups of all that is listed have in common.</summary>
internal static class Fields
{
    /// <summary>A field that is there when it is not empty.</summary>
    public static bool Text(string text, out string value)
    {
        value = text;
        return text.Length > 0;
    }

    /// <summary>A field that is always there.</summary>
    public static bool Always(string text, out string value)
    {
        value = text;
        return true;
    }

    /// <summary>No such field.</summary>
    public static bool None(out string value)
    {
        value = string.Empty;
        return false;
    }

    /// <summary>The label that the rest of a path names: keys hold dots, and so do paths.</summary>
    public static bool Label(IReadOnlyList<string> path, IReadOnlyDictionary<string, string>? labels, out string value)
    {
        if (labels is not null && labels.TryGetValue(string.Join('.', path.Skip(1)), out var found))
        {
            value = found;
            return true;
        }

        return None(out value);
    }
}
