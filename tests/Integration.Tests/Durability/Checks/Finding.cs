namespace ImageStore.Integration.Tests.Durability.Checks;

/// <summary>What is wrong with a root.</summary>
internal enum FindingKind
{
    /// <summary>A command that reads fails.</summary>
    Unreadable,

    /// <summary>What was acknowledged is not there, or not as it was.</summary>
    LostCommit,

    /// <summary>What was removed is there again, or what nobody made.</summary>
    Returned,

    /// <summary>Something refers to what is not there.</summary>
    Dangling,

    /// <summary>A blob's file has other bytes.</summary>
    WrongBlob,

    /// <summary>A snapshot shows another tree.</summary>
    WrongTree,

    /// <summary>The interrupted command does not succeed when it is repeated.</summary>
    NotRepeatable,

    /// <summary>After the repeat the root is another than without the interruption.</summary>
    Different,

    /// <summary>Something stays after a collection that nothing keeps.</summary>
    Leftover,

    /// <summary>The program's own check finds damage.</summary>
    DamageTold,

    /// <summary>An error that is none of those that a user may see.</summary>
    BadError,
}

/// <summary>One thing that is wrong, in words.</summary>
internal sealed record Finding(FindingKind Kind, string Text)
{
    public override string ToString() => $"{Kind}: {Text}";
}
